/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: one at a time, in order, and after the end of the engine. */
#include "manifests/source/turns.h"

#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simloop.h"

enum { N = 4 };

static struct world {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_source_turns *turns;
    struct hf_source_turn *turn[N];
    size_t order[N], begun;
} w;

static size_t numbers[N] = {0, 1, 2, 3};

static void begin(void *arg)
{
    w.order[w.begun++] = *(const size_t *)arg;
}

static void ask(size_t i)
{
    ck_assert_int_eq(hf_source_turn_ask(w.turns, begin, &numbers[i], &w.turn[i]), 0);
}

static void end(size_t i)
{
    hf_source_turn_free(w.turn[i]);
    w.turn[i] = NULL;
    (void)hf_simloop_run_for(w.loop, HF_NS_PER_S);
}

static void set_up(void)
{
    memset(&w, 0, sizeof(w));
    w.loop = hf_simloop_new(0);
    w.proc = hf_simproc_new(w.loop, "node");
    w.turns = hf_source_turns_new(hf_simproc_sched(w.proc));
    ck_assert_ptr_nonnull(w.turns);
}

static void tear_down(void)
{
    hf_simproc_free(w.proc);
    hf_simloop_free(w.loop);
}

START_TEST(one_after_the_other)
{
    for (size_t i = 0; i < N; i++)
        ask(i);
    ck_assert_uint_eq(w.begun, 0); /* never from within the call */
    (void)hf_simloop_run_for(w.loop, HF_NS_PER_S);
    ck_assert_uint_eq(w.begun, 1);
    ck_assert(hf_source_turn_has_come(w.turn[0]) && !hf_source_turn_has_come(w.turn[1]));
    end(1); /* it waits no longer */
    ck_assert_uint_eq(w.begun, 1);
    end(0);
    ck_assert_uint_eq(w.begun, 2);
    ask(1); /* again, behind the others */
    end(2);
    end(3);
    end(1);
    const size_t want[N] = {0, 2, 3, 1};
    ck_assert_mem_eq(w.order, want, sizeof(want));
    hf_source_turns_free(w.turns);
}
END_TEST

/* A job that outlives the engine ends its turn later. */
START_TEST(turn_outlives_the_turns)
{
    ask(0);
    (void)hf_simloop_run_for(w.loop, HF_NS_PER_S);
    hf_source_turns_free(w.turns);
    end(0);
    hf_source_turn_free(NULL);
    hf_source_turns_free(NULL);
    ck_assert(!hf_source_turn_has_come(NULL));
}
END_TEST

START_TEST(without_turns_all_begin_at_once)
{
    hf_source_turns_free(w.turns);
    w.turns = NULL;
    ask(0);
    ask(1);
    ck_assert_uint_eq(w.begun, 2);
    ck_assert_ptr_null(w.turn[0]);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_test(tc, turn_outlives_the_turns);
    tcase_add_test(tc, without_turns_all_begin_at_once);
}
HF_TEST_MAIN("manifests/source_turns", cases)
