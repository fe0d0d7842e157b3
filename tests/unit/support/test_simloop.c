/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simloop.h"

#include "support/check_main.h"

struct log {
    char text[16];
    size_t n;
};

struct item {
    struct log *log;
    char letter;
};

static void note(void *arg)
{
    struct item *item = arg;

    item->log->text[item->log->n++] = item->letter;
}

START_TEST(timers_fire_in_order_of_time)
{
    _cleanup_(hf_simloop_freep) struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "p");
    const struct hf_sched_ops *sched = hf_simproc_sched(proc);
    struct log log = {.n = 0};
    struct item items[4] = {{&log, 'a'}, {&log, 'b'}, {&log, 'c'}, {&log, 'd'}};
    struct hf_timer *timers[4];

    for (int i = 0; i < 4; i++)
        timers[i] = hf_timer_new(sched, note, &items[i]);
    hf_timer_arm(sched, timers[0], 3 * HF_NS_PER_S);
    hf_timer_arm(sched, timers[1], 1 * HF_NS_PER_S);
    hf_timer_arm(sched, timers[2], 1 * HF_NS_PER_S);
    hf_timer_arm(sched, timers[3], 9 * HF_NS_PER_S);
    hf_timer_arm(sched, timers[3], 2 * HF_NS_PER_S); /* moved */
    ck_assert_uint_eq(hf_simloop_run_for(loop, HF_NS_PER_S), 2);
    ck_assert_str_eq(log.text, "bc");
    hf_timer_disarm(sched, timers[0]);
    ck_assert_uint_eq(hf_simloop_run_for(loop, 60 * HF_NS_PER_S), 1);
    ck_assert_str_eq(log.text, "bcd");
    ck_assert_uint_eq(hf_simloop_now_ns(loop), 61 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_mono_ns(hf_simproc_clock(proc)), 66 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_unix_ns(hf_simproc_clock(proc)), HF_SIM_UNIX_START + 61 * HF_NS_PER_S);
    for (int i = 0; i < 4; i++)
        hf_timer_free(sched, timers[i]);
    hf_simproc_free(proc);
}
END_TEST

static void order_of(uint64_t seed, char text[16])
{
    struct hf_simloop *loop = hf_simloop_new(seed);
    struct log log = {.n = 0};
    struct item items[8];

    for (int i = 0; i < 8; i++) {
        items[i] = (struct item){&log, (char)('a' + i)};
        hf_simloop_post(loop, HF_NS_PER_S, note, &items[i]);
    }
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    (void)snprintf(text, 16, "%s", log.text);
    hf_simloop_free(loop);
}

START_TEST(a_seed_picks_the_order_of_one_instant)
{
    char plain[16], one[16], again[16], two[16];

    order_of(0, plain);
    order_of(1, one);
    order_of(1, again);
    order_of(2, two);
    ck_assert_str_eq(plain, "abcdefgh");
    ck_assert_str_eq(one, again);
    ck_assert_str_ne(one, plain);
    ck_assert_str_ne(one, two);
}
END_TEST

struct work {
    struct hf_job job;
    int worked, done, cancelled;
};

static void do_work(struct hf_job *job)
{
    hf_container_of(job, struct work, job)->worked++;
}

static void work_done(struct hf_job *job, int cancelled)
{
    struct work *work = hf_container_of(job, struct work, job);

    work->done++;
    work->cancelled += cancelled;
}

static void never(void *arg)
{
    (void)arg;
    ck_abort_msg("a dead process ran");
}

START_TEST(a_killed_process_runs_nothing)
{
    _cleanup_(hf_simloop_freep) struct hf_simloop *loop = hf_simloop_new(7);
    struct hf_simproc *proc = hf_simproc_new(loop, "p");
    const struct hf_sched_ops *sched = hf_simproc_sched(proc);
    struct work first = {.job = {.work = do_work, .done = work_done}};
    struct work second = first;

    ck_assert_int_eq(hf_job_submit(sched, &first.job), 0);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(first.worked == 1 && first.done == 1 && first.cancelled == 0);
    ck_assert_int_eq(hf_job_submit(sched, &second.job), 0);
    ck_assert_uint_eq(hf_simproc_jobs(proc), 1);
    struct hf_timer *timer = hf_timer_new(sched, never, NULL);
    hf_timer_arm(sched, timer, 1);
    hf_simproc_kill(proc);
    ck_assert(second.worked == 0 && second.done == 1 && second.cancelled == 1);
    ck_assert_int_lt(hf_job_submit(sched, &first.job), 0);
    hf_timer_arm(sched, timer, 1);
    ck_assert_uint_eq(hf_simloop_run_for(loop, HF_NS_PER_S), 0);
    ck_assert_uint_eq(hf_simproc_timers(proc), 1);
    hf_timer_free(sched, timer);
    hf_simproc_free(proc);
}
END_TEST

static bool three_letters(void *arg)
{
    return ((const struct log *)arg)->n >= 3;
}

START_TEST(run_until_stops_where_it_is_met)
{
    _cleanup_(hf_simloop_freep) struct hf_simloop *loop = hf_simloop_new(0);
    struct log log = {.n = 0};
    struct item item = {&log, 'x'};

    for (uint64_t i = 1; i <= 5; i++)
        hf_simloop_post(loop, i * HF_NS_PER_S, note, &item);
    ck_assert(hf_simloop_run_until(loop, three_letters, &log, 60 * HF_NS_PER_S));
    ck_assert_uint_eq(hf_simloop_now_ns(loop), 3 * HF_NS_PER_S);
    log.n = 0;
    ck_assert(!hf_simloop_run_until(loop, three_letters, &log, 60 * HF_NS_PER_S));
    ck_assert_uint_eq(hf_simloop_now_ns(loop), 63 * HF_NS_PER_S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, timers_fire_in_order_of_time);
    tcase_add_test(tc, a_seed_picks_the_order_of_one_instant);
    tcase_add_test(tc, a_killed_process_runs_nothing);
    tcase_add_test(tc, run_until_stops_where_it_is_met);
}
HF_TEST_MAIN("support/simloop", cases)
