/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, runs and ends the loop; signals; watched descriptors. */
#include "loop/core.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/memory.h"
#include "os/rand_posix.h"

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void on_alive(uv_async_t *async)
{
    hf_sched_reap(hf_container_of(async, struct hf_loop, alive));
}

static int open_loop(struct hf_loop *loop, struct hf_err *err)
{
    /* Two workers: a patch may hold one for minutes, and the other still syncs and hashes. uv reads this once, with
     * the first job. A value of the user stays. */
    (void)setenv("UV_THREADPOOL_SIZE", "2", 0);
    hf_memory_frugal();
    int r = uv_loop_init(&loop->uv);
    if (r < 0)
        return hf_err_sys(err, r, "make the event loop");
    (void)uv_async_init(&loop->uv, &loop->alive, on_alive);
    (void)uv_idle_init(&loop->uv, &loop->idle);
    (void)uv_timer_init(&loop->uv, &loop->trim);
    loop->idle.data = loop;
    loop->uv.data = loop;
    hf_loop_worked(loop); /* returns the memory that only the start needed */
    return 0;
}

struct hf_loop *hf_loop_new(struct hf_err *err)
{
    struct hf_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        (void)hf_err_set(err, ENOMEM, "not enough memory for the event loop");
        return NULL;
    }
    hf_list_init(&loop->tasks);
    hf_list_init(&loop->guests);
    hf_list_init(&loop->last);
    hf_list_init(&loop->jobs);
    hf_list_init(&loop->waiting);
    if (open_loop(loop, err) < 0) {
        free(loop);
        return NULL;
    }
    /* A peer that goes away during a write is an error code, not a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* so is a file larger than a limit: EFBIG */
    hf_sched_init(loop);
    hf_probe_init(loop);
    hf_unit_init(loop);
    hf_watch_init(loop);
    if (hf_proc_init(loop, err) < 0) {
        hf_loop_free(loop);
        return NULL;
    }
    return loop;
}

static void close_left(uv_handle_t *handle, HF_UNUSED void *arg)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void end_all(struct hf_list *guests)
{
    while (!hf_list_empty(guests)) {
        struct hf_loop_guest *guest = hf_container_of(guests->next, struct hf_loop_guest, link);
        hf_loop_guest_remove(guest);
        guest->end(guest);
    }
}

void hf_loop_free(struct hf_loop *loop)
{
    if (loop == NULL)
        return;
    loop->closing = true;
    hf_sched_drain(loop);
    end_all(&loop->guests);
    /* The guests close their handles while this runs; then the loop closes its own. */
    (void)uv_idle_stop(&loop->idle);
    (void)uv_timer_stop(&loop->trim);
    uv_unref((uv_handle_t *)&loop->alive);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_walk(&loop->uv, close_left, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
    end_all(&loop->last);
    free(loop);
}

void hf_loop_run(struct hf_loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void hf_loop_stop(struct hf_loop *loop)
{
    uv_stop(&loop->uv);
}

const struct hf_sched_ops *hf_loop_sched(struct hf_loop *loop)
{
    return &loop->sched;
}

struct hf_world hf_loop_world(struct hf_loop *loop)
{
    return (struct hf_world){
        .fs = hf_fs_posix(), .clock = hf_clock_posix(), .rng = hf_rand_posix(), .sched = &loop->sched};
}

const struct hf_proc_ops *hf_loop_proc(struct hf_loop *loop)
{
    return &loop->proc;
}

const struct hf_probe_ops *hf_loop_probe(struct hf_loop *loop)
{
    return &loop->probe;
}

const struct hf_watch_ops *hf_loop_watch(struct hf_loop *loop)
{
    return &loop->watch;
}

const struct hf_unit_ops *hf_loop_unit(struct hf_loop *loop)
{
    return &loop->unit;
}

/* ---- signals ----------------------------------------------------------------------------------------------------- */

struct signal_watch {
    struct hf_loop_guest guest;
    uv_signal_t uv;
    struct hf_loop *loop;
    void (*fire)(void *arg);
    void *arg;
};

static void free_signal(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct signal_watch, uv));
}

static void end_signal(struct hf_loop_guest *guest)
{
    struct signal_watch *watch = hf_container_of(guest, struct signal_watch, guest);

    uv_close((uv_handle_t *)&watch->uv, free_signal);
}

static void on_signal(uv_signal_t *uv, HF_UNUSED int signum)
{
    struct signal_watch *watch = hf_container_of(uv, struct signal_watch, uv);

    if (!watch->loop->closing)
        watch->fire(watch->arg);
}

int hf_loop_on_signal(struct hf_loop *loop, int signum, void (*fire)(void *arg), void *arg)
{
    struct signal_watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return -ENOMEM;
    watch->loop = loop;
    watch->fire = fire;
    watch->arg = arg;
    (void)uv_signal_init(&loop->uv, &watch->uv);
    int r = uv_signal_start(&watch->uv, on_signal, signum);
    if (r < 0) {
        uv_close((uv_handle_t *)&watch->uv, free_signal);
        return hf_loop_errno(r);
    }
    hf_loop_guest_add(loop, &watch->guest, end_signal);
    return 0;
}

/* ---- watched descriptors ----------------------------------------------------------------------------------------- */

struct hf_loop_fd {
    struct hf_loop_guest guest;
    uv_poll_t uv;
    struct hf_loop *loop;
    int events;
    void (*fire)(void *arg);
    void *arg;
};

static void free_fd(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_loop_fd, uv));
}

static void end_fd(struct hf_loop_guest *guest)
{
    struct hf_loop_fd *watch = hf_container_of(guest, struct hf_loop_fd, guest);

    uv_close((uv_handle_t *)&watch->uv, free_fd);
}

static void on_fd(uv_poll_t *uv, int status, HF_UNUSED int events)
{
    struct hf_loop_fd *watch = hf_container_of(uv, struct hf_loop_fd, uv);

    /* A broken descriptor stays broken: report it once, then stop watching. */
    if (status < 0)
        (void)uv_poll_stop(uv);
    if (!watch->loop->closing)
        watch->fire(watch->arg);
}

int hf_loop_watch_fd(struct hf_loop *loop, int fd, bool readable, bool writable, void (*fire)(void *arg), void *arg,
                     struct hf_loop_fd **ret_watch)
{
    struct hf_loop_fd *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return -ENOMEM;
    watch->loop = loop;
    watch->fire = fire;
    watch->arg = arg;
    int r = uv_poll_init(&loop->uv, &watch->uv, fd);
    if (r < 0) {
        free(watch); /* uv_poll_init() registers nothing if it fails */
        return hf_loop_errno(r);
    }
    hf_loop_rewatch_fd(watch, readable, writable);
    hf_loop_guest_add(loop, &watch->guest, end_fd);
    *ret_watch = watch;
    return 0;
}

void hf_loop_rewatch_fd(struct hf_loop_fd *watch, bool readable, bool writable)
{
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

    if (events == watch->events)
        return;
    watch->events = events;
    HF_UNUSED int r = uv_poll_start(&watch->uv, events, on_fd);
    assert(r == 0); /* uv_poll_init() has found that nothing else watches it */
}

void hf_loop_unwatch_fd(struct hf_loop_fd **watch)
{
    struct hf_loop_fd *ended = hf_steal(*watch);

    if (ended == NULL)
        return;
    hf_loop_guest_remove(&ended->guest);
    end_fd(&ended->guest);
}
