/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/pace.h"

#include <check.h>

#include "support/check_main.h"

#define S HF_NS_PER_S
#define T (1000 * S)
#define INTERVAL (300 * S)

static uint64_t half(void *ctx)
{
    (void)ctx;
    return UINT64_MAX / 2;
}
static const struct hf_rand_ops rng = {.u64 = half};

static void write_at(struct hf_pace *pace, uint64_t now)
{
    ck_assert_uint_le(hf_pace_due_ns(pace), now);
    hf_pace_started(pace, now);
    ck_assert_uint_eq(hf_pace_due_ns(pace), HF_NEVER);
    hf_pace_delivered(pace, INTERVAL, &rng, now);
}

START_TEST(quiet)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    ck_assert_uint_eq(hf_pace_due_ns(&pace), HF_NEVER);
}
END_TEST

START_TEST(first_change_at_once)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    hf_pace_changed(&pace, false, T);
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + HF_PACE_GATHER_NS);
    hf_pace_changed(&pace, false, T + HF_PACE_GATHER_NS / 2); /* gathers, does not push away */
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + HF_PACE_GATHER_NS);
}
END_TEST

/* The beginning of an update, its phases, its end a second later. */
START_TEST(begin_and_end_of_an_update)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    hf_pace_changed(&pace, true, T);
    write_at(&pace, T + S);
    hf_pace_changed(&pace, false, T + S); /* a phase: must leave one token */
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + S + HF_PACE_GAP_NS);
    hf_pace_changed(&pace, true, T + 2 * S); /* the end */
    ck_assert_uint_le(hf_pace_due_ns(&pace), T + 2 * S);
    write_at(&pace, T + 2 * S);
    hf_pace_changed(&pace, true, T + 3 * S); /* again at once: now the bucket is empty */
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + S + HF_PACE_GAP_NS);
}
END_TEST

/* Whatever flaps: at most two writes beyond one per gap, in any hour. */
START_TEST(mean_rate)
{
    struct hf_pace pace;
    unsigned writes = 0;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    for (uint64_t now = T; now < T + 3600 * S; now += S / 5) {
        hf_pace_changed(&pace, true, now);
        if (hf_pace_due_ns(&pace) <= now) {
            write_at(&pace, now);
            writes++;
        }
    }
    ck_assert_uint_le(writes, 3600 / 10 + HF_PACE_TOKENS);
    ck_assert_uint_ge(writes, 3600 / 10 - 1);
}
END_TEST

START_TEST(heartbeat)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    hf_pace_changed(&pace, false, T);
    write_at(&pace, T + S);
    uint64_t due = hf_pace_due_ns(&pace);
    ck_assert_uint_ge(due, T + S + INTERVAL * 9 / 10);
    ck_assert_uint_le(due, T + S + INTERVAL * 11 / 10);
    write_at(&pace, due);
    ck_assert_uint_ge(hf_pace_due_ns(&pace), due + INTERVAL * 9 / 10);
}
END_TEST

/* Nobody can be reached: there is nothing to write any more, but that it is so is still told. */
START_TEST(parked)
{
    struct hf_pace pace;

    hf_pace_init(&pace, S);
    hf_pace_changed(&pace, true, T);
    hf_pace_parked(&pace, INTERVAL, &rng, T + S);
    ck_assert(!pace.changed);
    ck_assert_uint_ge(hf_pace_due_ns(&pace), T + S + INTERVAL * 9 / 10);
    ck_assert_uint_le(hf_pace_due_ns(&pace), T + S + INTERVAL * 11 / 10);
    hf_pace_changed(&pace, false, T + 2 * S);
    ck_assert_uint_lt(hf_pace_due_ns(&pace), T + 4 * S);
}
END_TEST

START_TEST(change_while_writing)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    hf_pace_changed(&pace, false, T);
    hf_pace_started(&pace, T + S);
    hf_pace_changed(&pace, true, T + 2 * S);
    ck_assert_uint_eq(hf_pace_due_ns(&pace), HF_NEVER);
    hf_pace_delivered(&pace, INTERVAL, &rng, T + 3 * S);
    ck_assert_uint_le(hf_pace_due_ns(&pace), T + 3 * S);
}
END_TEST

START_TEST(failure_and_retry)
{
    struct hf_pace pace;

    hf_pace_init(&pace, HF_PACE_GAP_NS);
    hf_pace_changed(&pace, false, T);
    hf_pace_started(&pace, T + S);
    hf_pace_failed(&pace, 20 * S, T + 2 * S);
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + 22 * S);
    hf_pace_changed(&pace, true, T + 3 * S); /* news do not shorten the backoff */
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + 22 * S);
    hf_pace_retry(&pace, S, T + 5 * S); /* contact does */
    ck_assert_uint_eq(hf_pace_due_ns(&pace), T + 6 * S);
    write_at(&pace, T + 6 * S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, quiet);
    tcase_add_test(tc, first_change_at_once);
    tcase_add_test(tc, begin_and_end_of_an_update);
    tcase_add_test(tc, mean_rate);
    tcase_add_test(tc, heartbeat);
    tcase_add_test(tc, parked);
    tcase_add_test(tc, change_while_writing);
    tcase_add_test(tc, failure_and_retry);
}

HF_TEST_MAIN("sync/pace", cases)
