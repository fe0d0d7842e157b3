/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

static struct hf_loop *loop;
static const struct hf_sched_ops *sched;

static void set_up(void)
{
    loop = hf_loop_new(NULL);
    sched = hf_loop_sched(loop);
}

static void tear_down(void)
{
    hf_loop_free(loop);
}

static uint64_t now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

/* ---- timers ---------------------------------------------------------------------------------------------------------- */

struct probe {
    struct hf_timer *timer;
    int fired;
    int stop_at; /* stop the loop at this count, 0 never */
    bool free_inside;
    bool again; /* arm with 0 inside */
    uint64_t at_ns;
};

static void fire(void *arg)
{
    struct probe *probe = arg;

    probe->fired++;
    probe->at_ns = now_ns();
    if (probe->free_inside) {
        hf_timer_free(sched, probe->timer);
        probe->timer = NULL;
    } else if (probe->again) {
        hf_timer_arm(sched, probe->timer, 0);
    }
    if (probe->fired == probe->stop_at)
        hf_loop_stop(loop);
}

static struct hf_timer *arm(struct probe *probe, uint64_t delay_ns)
{
    probe->timer = hf_timer_new(sched, fire, probe);
    hf_timer_arm(sched, probe->timer, delay_ns);
    return probe->timer;
}

static const uint64_t delays_ns[] = {0, 1, 999999, 1000000, 1500000, 20 * HF_NS_PER_MS};

START_TEST(timer_never_early)
{
    struct probe probe = {.stop_at = 1};
    uint64_t start_ns = now_ns(), starved_ns = loop_starved_ns();

    arm(&probe, delays_ns[_i]);
    ck_assert_int_eq(probe.fired, 0); /* never inside the call */
    hf_loop_run(loop);
    ck_assert_int_eq(probe.fired, 1);
    ck_assert_uint_ge(probe.at_ns - start_ns, delays_ns[_i]);
    starved_ns = loop_starved_ns() - starved_ns;
    ck_assert_uint_lt(probe.at_ns - start_ns, delays_ns[_i] + HF_NS_PER_S + starved_ns);
    hf_timer_free(sched, probe.timer);
}
END_TEST

START_TEST(timer_moves_and_disarms)
{
    struct probe late = {.stop_at = 1}, never = {0}, moved = {0};

    arm(&moved, HF_NS_PER_MS);
    hf_timer_arm(sched, moved.timer, HF_NEVER);
    arm(&never, 0);
    hf_timer_disarm(sched, never.timer);
    arm(&late, HF_NS_PER_S * 3600);
    hf_timer_arm(sched, late.timer, 5 * HF_NS_PER_MS);
    hf_loop_run(loop);
    ck_assert_int_eq(never.fired + moved.fired, 0);
    ck_assert_int_eq(late.fired, 1);
    hf_timer_free(sched, NULL);
    /* The others are left to the loop. */
}
END_TEST

START_TEST(timer_freed_in_its_own_callback)
{
    struct probe soon = {.free_inside = true}, later = {.free_inside = true, .stop_at = 1};

    arm(&soon, 0);
    arm(&later, HF_NS_PER_MS);
    hf_loop_run(loop);
    ck_assert_int_eq(soon.fired + later.fired, 2);
}
END_TEST

/* A timer that arms itself with 0 again and again must not keep the others from their turn. */
START_TEST(zero_delay_starves_nobody)
{
    struct probe busy = {.again = true}, other = {.stop_at = 1};

    arm(&busy, 0);
    arm(&other, 10 * HF_NS_PER_MS);
    hf_loop_run(loop);
    ck_assert_int_eq(other.fired, 1);
    ck_assert_int_gt(busy.fired, 1);
}
END_TEST

static int order_next;
static bool order_ok;
static uint64_t order_slack_ns;

struct ordered {
    struct hf_timer *timer;
    uint64_t due_ns;
};

static uint64_t last_due_ns;

static void fire_ordered(void *arg)
{
    struct ordered *one = arg;

    order_ok = order_ok && one->due_ns + order_slack_ns >= last_due_ns && now_ns() >= one->due_ns;
    last_due_ns = one->due_ns;
    hf_timer_free(sched, one->timer);
    if (++order_next == 10000)
        hf_loop_stop(loop);
}

START_TEST(ten_thousand_timers)
{
    struct ordered *all = calloc(10000, sizeof(*all));

    order_ok = true;
    order_slack_ns = loop_starved_ns();
    for (int i = 0; i < 10000; i++)
        all[i].timer = hf_timer_new(sched, fire_ordered, &all[i]);
    for (int i = 0; i < 10000; i++) {
        uint64_t delay_ns = (1 + (unsigned)i * 7919u % 300) * HF_NS_PER_MS;
        all[i].due_ns = now_ns() + delay_ns;
        hf_timer_arm(sched, all[i].timer, delay_ns);
    }
    order_slack_ns = 100 * HF_NS_PER_MS + loop_starved_ns() - order_slack_ns;
    hf_loop_run(loop);
    ck_assert_int_eq(order_next, 10000);
    ck_assert_msg(order_ok, "out of order");
    free(all);
}
END_TEST

/* ---- jobs ------------------------------------------------------------------------------------------------------------ */

struct task {
    struct hf_job job;
    unsigned work_ms;
    int worked;
    int done;
    int cancelled;
    int *left;         /* stops the loop at 0 */
    struct task *next; /* submitted by done */
    int next_r;
};

static atomic_bool begun;

static void work(struct hf_job *job)
{
    struct task *task = hf_container_of(job, struct task, job);

    atomic_store(&begun, true);
    if (task->work_ms > 0)
        (void)usleep(task->work_ms * 1000);
    task->worked++;
}

static void done(struct hf_job *job, int cancelled)
{
    struct task *task = hf_container_of(job, struct task, job);

    task->done++;
    task->cancelled = cancelled;
    if (task->next != NULL)
        task->next_r = hf_job_submit(sched, &task->next->job);
    if (task->left != NULL && --*task->left == 0)
        hf_loop_stop(loop);
}

START_TEST(jobs_run_and_chain)
{
    int left = 21; /* one is submitted by another's end */
    struct task tasks[20], last = {.job = {.work = work, .done = done}, .left = &left};

    for (int i = 0; i < 20; i++) {
        tasks[i] = (struct task){.job = {.work = work, .done = done}, .left = &left, .next = i == 7 ? &last : NULL};
        ck_assert_int_eq(hf_job_submit(sched, &tasks[i].job), 0);
        ck_assert_int_eq(tasks[i].done, 0);
    }
    hf_loop_run(loop);
    for (int i = 0; i < 20; i++)
        ck_assert_msg(tasks[i].worked == 1 && tasks[i].done == 1 && tasks[i].cancelled == 0, "job %d", i);
    ck_assert_int_eq(last.done, 1);
}
END_TEST

static atomic_bool hangs_now, came;

/* Hangs until it came. */
static void work_late(struct hf_job *job)
{
    atomic_store(&hangs_now, true);
    while (!atomic_load(&came))
        (void)usleep(1000);
    work(job);
}

/* A job that hangs does not hold up the end of the process, and keeps its memory. */
START_TEST(job_that_hangs)
{
    struct task task = {.job = {.work = work_late, .done = done}};
    struct task refused = {.job = {.work = work, .done = done}};

    atomic_store(&came, false);
    atomic_store(&hangs_now, false);
    ck_assert_int_eq(hf_job_submit(sched, &task.job), 0);
    loop_wait_for(loop, atomic_load(&hangs_now));
    ck_assert(!hf_loop_drain(loop, 20 * HF_NS_PER_MS));
    ck_assert_int_eq(task.done, 0);
    ck_assert_int_eq(hf_job_submit(sched, &refused.job), -ECANCELED);
    atomic_store(&came, true);
    ck_assert(hf_loop_drain(loop, 60 * HF_NS_PER_S));
    ck_assert_int_eq(task.done, 1);
    ck_assert(hf_loop_drain(loop, 0));
}
END_TEST

/* One job that may hang has a worker at a time, so the other worker is free. The loop cancels those that wait at its
 * end. */
START_TEST(jobs_that_may_hang)
{
    int left = 5;
    struct task hangs = {.job = {.work = work_late, .done = done, .may_hang = true}};
    struct task waits[3], other = {.job = {.work = work, .done = done}};

    atomic_store(&came, false);
    atomic_store(&hangs_now, false);
    ck_assert_int_eq(hf_job_submit(sched, &hangs.job), 0);
    for (int i = 0; i < 3; i++) {
        waits[i] = (struct task){.job = {.work = work, .done = done, .may_hang = true}, .left = &left};
        ck_assert_int_eq(hf_job_submit(sched, &waits[i].job), 0);
    }
    ck_assert_int_eq(hf_job_submit(sched, &other.job), 0);
    loop_wait_for(loop, other.done == 1 && atomic_load(&hangs_now));
    ck_assert(!other.cancelled && hangs.done == 0);
    if (_i == 0) {
        hangs.left = &left;
        left--;
        atomic_store(&came, true);
        hf_loop_run(loop);
    } else {
        ck_assert(!hf_loop_drain(loop, 20 * HF_NS_PER_MS));
        ck_assert_int_eq(hangs.done, 0);
        atomic_store(&came, true);
        ck_assert(hf_loop_drain(loop, 60 * HF_NS_PER_S));
    }
    ck_assert_int_eq(hangs.done, 1);
    for (int i = 0; i < 3; i++)
        ck_assert(waits[i].done == 1 && waits[i].worked == (_i == 0) && waits[i].cancelled == (_i == 1));
}
END_TEST

static void done_first(struct hf_job *job, int cancelled)
{
    atomic_store(&came, true);
    done(job, cancelled);
}

/* Those that wait for what the loop does leave the workers to others, and are not cancelled. */
START_TEST(jobs_that_wait)
{
    int left = 5;
    struct task waits[4], other = {.job = {.work = work, .done = done_first}, .left = &left};

    atomic_store(&came, false);
    for (int i = 0; i < 4; i++) {
        waits[i] = (struct task){.job = {.work = work_late, .done = done, .waits = true}, .left = &left};
        ck_assert_int_eq(hf_job_submit(sched, &waits[i].job), 0);
    }
    if (_i == 0) {
        ck_assert_int_eq(hf_job_submit(sched, &other.job), 0);
        hf_loop_run(loop);
        ck_assert_int_eq(other.done, 1);
    } else {
        ck_assert(!hf_loop_drain(loop, 20 * HF_NS_PER_MS));
        atomic_store(&came, true);
        hf_loop_free(hf_steal(loop));
    }
    for (int i = 0; i < 4; i++)
        ck_assert(waits[i].done == 1 && waits[i].worked == 1 && !waits[i].cancelled);
}
END_TEST

/* Closing: what runs is waited for, what waits is cancelled, every `done` comes once, nothing new is taken. */
START_TEST(jobs_at_close)
{
    struct task tasks[10], refused = {.job = {.work = work, .done = done}};
    struct probe timer = {0};

    atomic_store(&begun, false);
    arm(&timer, HF_NS_PER_MS);
    for (int i = 0; i < 10; i++) {
        tasks[i] = (struct task){.job = {.work = work, .done = done}, .work_ms = 300};
        tasks[i].next = i == 0 ? &refused : NULL;
        ck_assert_int_eq(hf_job_submit(sched, &tasks[i].job), 0);
    }
    for (int wait = 0; wait < 20000 && !atomic_load(&begun); wait++)
        (void)usleep(1000);
    hf_loop_free(loop);
    loop = NULL;
    int worked = 0, cancelled = 0;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(tasks[i].done, 1);
        ck_assert_int_eq(tasks[i].worked, !tasks[i].cancelled);
        worked += tasks[i].worked;
        cancelled += tasks[i].cancelled;
    }
    ck_assert_int_ge(worked, 1);
    ck_assert_int_ge(cancelled, 6);
    ck_assert_int_eq(tasks[0].next_r, -ECANCELED);
    ck_assert_int_eq(refused.done, 0);
    ck_assert_int_eq(timer.fired, 0); /* nothing but jobs calls back while closing */
}
END_TEST

static void fire_came(void *arg)
{
    *(bool *)arg = true;
    atomic_store(&came, true);
}

/* A long job holds up no timer and no second job: it ends after both. */
START_TEST(jobs_do_not_block)
{
    bool fired = false;
    struct task slow = {.job = {.work = work_late, .done = done}}, fast = {.job = {.work = work, .done = done}};
    struct hf_timer *timer = hf_timer_new(sched, fire_came, &fired);

    atomic_store(&came, false);
    ck_assert_int_eq(hf_job_submit(sched, &slow.job), 0);
    ck_assert_int_eq(hf_job_submit(sched, &fast.job), 0);
    loop_wait_for(loop, fast.done == 1);
    ck_assert_int_eq(slow.done, 0);
    hf_timer_arm(sched, timer, 10 * HF_NS_PER_MS);
    loop_wait_for(loop, slow.done == 1);
    ck_assert(fired);
    hf_timer_free(sched, timer);
}
END_TEST

/* ---- signals and descriptors ------------------------------------------------------------------------------------------ */

static void count_and_stop(void *arg)
{
    (*(int *)arg)++;
    hf_loop_stop(loop);
}

static void raise_usr1(void *arg)
{
    (void)arg;
    (void)raise(SIGUSR1);
}

START_TEST(signals)
{
    int seen = 0;

    ck_assert_int_eq(hf_loop_on_signal(loop, SIGUSR1, count_and_stop, &seen), 0);
    ck_assert_int_eq(hf_loop_on_signal(loop, SIGKILL, count_and_stop, &seen), -EINVAL);
    struct hf_timer *timer = hf_timer_new(sched, raise_usr1, NULL);
    hf_timer_arm(sched, timer, 0);
    hf_loop_run(loop);
    ck_assert_int_eq(seen, 1);
    hf_timer_arm(sched, timer, 0);
    hf_loop_run(loop); /* a stopped loop can run again */
    ck_assert_int_eq(seen, 2);
}
END_TEST

static struct hf_loop_fd *watched;

static void unwatch_inside(void *arg)
{
    (*(int *)arg)++;
    hf_loop_unwatch_fd(&watched);
    hf_loop_stop(loop);
}

START_TEST(descriptors)
{
    int seen = 0, other = 0;
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    struct hf_loop_fd *second;

    ck_assert_int_eq(hf_loop_watch_fd(loop, fd, true, false, unwatch_inside, &seen, &watched), 0);
    ck_assert_int_eq(hf_loop_watch_fd(loop, fd, true, false, unwatch_inside, &seen, &second), -EEXIST);
    hf_loop_run(loop);
    ck_assert_int_eq(seen, 1);
    ck_assert_int_eq(hf_loop_watch_fd(loop, fd, false, true, count_and_stop, &other, &second), 0);
    hf_loop_run(loop);
    ck_assert_int_eq(other, 1);
    hf_loop_rewatch_fd(second, false, false); /* rests, and wakes nobody */
    struct probe rest = {.stop_at = 1};
    arm(&rest, HF_NS_PER_MS);
    hf_loop_run(loop);
    ck_assert_int_eq(other, 1);
    hf_loop_rewatch_fd(second, true, true);
    hf_loop_run(loop);
    ck_assert_int_eq(other, 2);
    hf_loop_unwatch_fd(&second);
    hf_loop_unwatch_fd(&second);
    ck_assert_int_eq(hf_loop_watch_fd(loop, -1, true, false, unwatch_inside, &seen, &second), -EBADF);
    struct probe timer = {.stop_at = 1};
    arm(&timer, HF_NS_PER_MS);
    hf_loop_run(loop);
    ck_assert_int_eq(seen, 1);
    (void)close(fd);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, timer_never_early, 0, (int)HF_LEN(delays_ns));
    tcase_add_test(tc, timer_moves_and_disarms);
    tcase_add_test(tc, timer_freed_in_its_own_callback);
    tcase_add_test(tc, zero_delay_starves_nobody);
    tcase_add_test(tc, ten_thousand_timers);
    tcase_add_test(tc, jobs_run_and_chain);
    tcase_add_test(tc, job_that_hangs);
    tcase_add_loop_test(tc, jobs_that_may_hang, 0, 2);
    tcase_add_loop_test(tc, jobs_that_wait, 0, 2);
    tcase_add_test(tc, jobs_at_close);
    tcase_add_test(tc, jobs_do_not_block);
    tcase_add_test(tc, signals);
    tcase_add_test(tc, descriptors);
}

HF_TEST_MAIN("loop/sched", cases)
