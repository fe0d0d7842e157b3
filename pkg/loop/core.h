/* SPDX-License-Identifier: Apache-2.0 */
/* loop/core.h - internal: the state of the loop, tasks and guests. Only pkg/loop includes this header, because the
 * header uses libuv's types.
 *
 * Callbacks of pkg/loop never run inside the function that starts an operation. To ensure this, code that has to call
 * back posts a task. The loop runs each posted task once, in an idle callback of its own, and so outside of the
 * callbacks of curl, of D-Bus and of other uv handles. Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* A function that the loop runs in its next iteration. Embed the task in the structure on which `run` works. If a task
 * is posted twice before it runs, it runs only once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* A structure that hf_loop_free() ends, unless the owner has removed the structure earlier. `end` frees the structure
 * and calls no callback of the owner. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    /* an active handle, without which uv_run() would return when the loop has nothing to do */
    uv_async_t alive;
    uv_timer_t trim;     /* fires some time after work (hf_loop_worked()), to return free memory to the system */
    uint64_t trimmed_ns; /* uv_hrtime() when the loop last returned memory (0 means never) */
    uv_idle_t idle;      /* active while tasks wait, so that the loop does not sleep */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last;    /* guests to end once uv has closed all handles */
    struct hf_list jobs;    /* that uv has */
    struct hf_list waiting; /* for the job that may hang, and has a worker */
    bool may_hang;          /* true while such a job has a worker, or is in the queue for one */
    bool closing;           /* true while the loop ends; operations then no longer start, and only jobs call back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_watch_ops watch;
    struct hf_watches *watches; /* state of the watches; only watch.c uses it; NULL until first used */
    struct hf_procs *procs;     /* state of the children; only proc.c uses it */
    struct hf_bus *bus;         /* connection to the system bus, for unit.c; NULL until first used */
    /* data that all servers of the loop share (server/server.c); NULL until first used */
    struct hf_server_host *server_host;
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task); /* removes a posted task; does nothing if the task is not posted */

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* Replaces the guest's `end`. Call this function from within the old `end`. The loop calls the new `end` after uv has
 * closed all handles. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* Call this function after work that used memory. 10 s later, the loop returns free memory to the system. The loop
 * skips this if less than 256 KiB are free and it has returned memory within the last 10 minutes. */
void hf_loop_worked(struct hf_loop *loop);

/* Turns an error code of uv into -errno. On Linux, uv's codes are the same numbers as -errno, except for codes that
 * only uv has: names that do not resolve (UV_EAI_*) become -EHOSTUNREACH, the others -EIO. */
int hf_loop_errno(int r);

/* Returns the number of milliseconds to pass to uv_timer_start(). The timer then fires `delay_ns` from now or up to 1
 * ms later, but never earlier. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

/* Each of these functions initializes the part of the loop that belongs to one file: hf_sched_init() the part of
 * sched.c, hf_proc_init() the part of proc.c, and so on. */
void hf_sched_init(struct hf_loop *loop);
void hf_sched_drain(struct hf_loop *loop); /* cancels the jobs that have not begun, and waits for the others */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
void hf_watch_init(struct hf_loop *loop);
