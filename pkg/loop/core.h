/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: the loop, tasks and guests, with libuv's types.
 *
 * A callback never runs inside the function that starts an operation: such code posts a task. Each runs once, in an
 * idle callback of its own, outside of the callbacks of curl, D-Bus and uv handles. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* Embed it in a structure. Posted twice before it runs, it runs once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* hf_loop_free() ends it, unless removed. `end` frees it and calls no callback of the owner. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    uv_async_t alive;    /* keeps uv_run() alive without work; a job's own thread has ended */
    uv_timer_t trim;     /* returns free memory some time after work (hf_loop_worked()) */
    uint64_t trimmed_ns; /* uv_hrtime(); 0: never */
    uv_idle_t idle;      /* active while tasks wait: no sleep */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last;    /* to end after uv has closed all handles */
    struct hf_list jobs;    /* given to uv */
    struct hf_list waiting; /* for the job that may hang */
    bool may_hang;          /* it has or awaits a worker */
    bool closing;           /* the loop ends: nothing starts, only jobs call back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_watch_ops watch;
    struct hf_watches *watches;         /* for watch.c; NULL until used */
    struct hf_procs *procs;             /* for proc.c */
    struct hf_bus *bus;                 /* for unit.c; NULL until used */
    struct hf_server_host *server_host; /* for server/server.c; NULL until used */
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task);

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* From within `end`: call the new `end` after uv has closed all handles. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* After work that used memory: returns free memory 10 s later, from 256 KiB on, or after 10 minutes. */
void hf_loop_worked(struct hf_loop *loop);

/* uv's code as -errno: the same, except UV_EAI_* (-EHOSTUNREACH) and others of uv alone (-EIO). */
int hf_loop_errno(int r);

/* For uv_timer_start(): fires up to 1 ms late, never early. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

/* Initialize the part of one file each. */
void hf_sched_init(struct hf_loop *loop);
void hf_sched_reap(struct hf_loop *loop);  /* ends jobs whose own threads have ended */
void hf_sched_drain(struct hf_loop *loop); /* cancels jobs that have not begun, waits for the others */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
void hf_watch_init(struct hf_loop *loop);
