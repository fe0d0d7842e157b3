/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and background jobs over uv. */
#include <errno.h>
#include <stdlib.h>

#include "loop/core.h"
#include "os/memory.h"

/* ---- timers ------------------------------------------------------------------------------------------------------ */

struct hf_timer {
    struct hf_loop_guest guest;
    uv_timer_t uv;
    struct hf_loop_task soon; /* for a delay of 0: uv would fire such a timer again in the turn that armed it */
    struct hf_loop *loop;
    void (*fire)(void *arg);
    void *arg;
};

static void free_timer(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_timer, uv));
}

static void end_timer(struct hf_loop_guest *guest)
{
    struct hf_timer *timer = hf_container_of(guest, struct hf_timer, guest);

    hf_loop_task_drop(&timer->soon);
    /* uv frees the memory after this turn's callbacks, so freeing a timer inside its own callback is safe. */
    uv_close((uv_handle_t *)&timer->uv, free_timer);
}

static void fire_timer(struct hf_timer *timer)
{
    if (!timer->loop->closing)
        timer->fire(timer->arg);
}

static void on_timer(uv_timer_t *uv)
{
    fire_timer(hf_container_of(uv, struct hf_timer, uv));
}

static void on_soon(struct hf_loop_task *task)
{
    fire_timer(hf_container_of(task, struct hf_timer, soon));
}

static struct hf_timer *timer_new(void *ctx, void (*fire)(void *arg), void *arg)
{
    struct hf_loop *loop = ctx;
    struct hf_timer *timer = calloc(1, sizeof(*timer));

    if (timer == NULL)
        return NULL;
    timer->loop = loop;
    timer->fire = fire;
    timer->arg = arg;
    (void)uv_timer_init(&loop->uv, &timer->uv);
    hf_loop_task_init(&timer->soon, on_soon);
    hf_loop_guest_add(loop, &timer->guest, end_timer);
    return timer;
}

static void timer_disarm(HF_UNUSED void *ctx, struct hf_timer *timer)
{
    hf_loop_task_drop(&timer->soon);
    (void)uv_timer_stop(&timer->uv);
}

static void timer_arm(void *ctx, struct hf_timer *timer, uint64_t delay_ns)
{
    timer_disarm(ctx, timer);
    if (delay_ns == HF_NEVER)
        return;
    if (delay_ns == 0)
        hf_loop_task_post(timer->loop, &timer->soon);
    else
        (void)uv_timer_start(&timer->uv, on_timer, HF_MAX(hf_loop_delay_ms(timer->loop, delay_ns), 1ull), 0);
}

static void timer_free(HF_UNUSED void *ctx, struct hf_timer *timer)
{
    if (timer == NULL)
        return;
    hf_loop_guest_remove(&timer->guest);
    end_timer(&timer->guest);
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

struct job_run {
    uv_work_t uv;
    uv_thread_t thread; /* of a job that waits */
    struct hf_loop *loop;
    atomic_bool ended;
    struct hf_list link;
    struct hf_job *job;
};

static void work(uv_work_t *uv)
{
    struct job_run *run = hf_container_of(uv, struct job_run, uv);

    atomic_store(&run->job->begun, true);
    run->job->work(run->job);
    hf_memory_trim_thread();
}

static void end_job(struct job_run *run, bool cancelled)
{
    struct hf_job *job = run->job;

    hf_list_remove(&run->link);
    free(run);
    job->impl = NULL;
    job->done(job, cancelled);
}

static void work_alone(void *arg)
{
    struct job_run *run = arg;

    atomic_store(&run->job->begun, true);
    run->job->work(run->job);
    atomic_store(&run->ended, true);
    (void)uv_async_send(&run->loop->alive); /* which joins this thread before it frees `run` */
}

void hf_sched_reap(struct hf_loop *loop)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &loop->jobs) {
        struct job_run *run = hf_container_of(it, struct job_run, link);
        if (!atomic_load(&run->ended))
            continue;
        (void)uv_thread_join(&run->thread);
        hf_loop_worked(loop);
        end_job(run, false);
    }
}

static void begin_waiting(struct hf_loop *loop);

static void after_work(uv_work_t *uv, int status)
{
    struct job_run *run = hf_container_of(uv, struct job_run, uv);
    struct hf_loop *loop = uv->loop->data;

    hf_loop_worked(loop);
    if (run->job->may_hang) {
        loop->may_hang = false;
        begin_waiting(loop);
    }
    end_job(run, status == UV_ECANCELED);
}

static int queue(struct hf_loop *loop, struct job_run *run)
{
    int r = run->job->waits ? uv_thread_create(&run->thread, work_alone, run)
                            : uv_queue_work(&loop->uv, &run->uv, work, after_work);

    if (r < 0)
        return hf_loop_errno(r);
    hf_list_append(&loop->jobs, &run->link);
    loop->may_hang = loop->may_hang || run->job->may_hang;
    return 0;
}

/* Queues the next job that waits for one that may hang. One that libuv refuses stays for the next time. */
static void begin_waiting(struct hf_loop *loop)
{
    if (loop->closing || hf_list_empty(&loop->waiting))
        return;
    struct job_run *run = hf_container_of(loop->waiting.next, struct job_run, link);
    hf_list_remove(&run->link);
    if (queue(loop, run) < 0)
        hf_list_append(&loop->waiting, &run->link);
}

static int submit(void *ctx, struct hf_job *job)
{
    struct hf_loop *loop = ctx;
    int r = 0;

    if (loop->closing)
        return -ECANCELED;
    struct job_run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return -ENOMEM;
    run->job = job;
    run->loop = loop;
    atomic_store(&job->begun, false);
    if (job->may_hang && loop->may_hang)
        hf_list_append(&loop->waiting, &run->link);
    else
        r = queue(loop, run);
    if (r < 0) {
        free(run);
        return r;
    }
    job->impl = run;
    return 0;
}

/* Jobs that have not begun come back cancelled; the others use their owner's memory until they end. */
static void cancel_jobs(struct hf_loop *loop)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &loop->jobs)
        (void)uv_cancel((uv_req_t *)&hf_container_of(it, struct job_run, link)->uv);
    while (!hf_list_empty(&loop->waiting))
        end_job(hf_container_of(loop->waiting.next, struct job_run, link), true);
}

bool hf_loop_drain(struct hf_loop *loop, uint64_t timeout_ns)
{
    uint64_t end_ns = uv_hrtime() + timeout_ns;
    struct hf_timer *timer = timer_new(loop, NULL, NULL);

    if (timer == NULL)
        return hf_list_empty(&loop->jobs);
    timer_arm(loop, timer, timeout_ns); /* only ends the wait: a closing loop calls no function of a timer */
    loop->closing = true;
    cancel_jobs(loop);
    while (!hf_list_empty(&loop->jobs) && uv_hrtime() < end_ns)
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    timer_free(loop, timer);
    return hf_list_empty(&loop->jobs);
}

void hf_sched_drain(struct hf_loop *loop)
{
    cancel_jobs(loop);
    while (!hf_list_empty(&loop->jobs))
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
}

void hf_sched_init(struct hf_loop *loop)
{
    loop->sched = (struct hf_sched_ops){
        .ctx = loop,
        .timer_new = timer_new,
        .timer_arm = timer_arm,
        .timer_disarm = timer_disarm,
        .timer_free = timer_free,
        .submit = submit,
    };
}
