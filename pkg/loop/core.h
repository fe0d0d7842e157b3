/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: the loop, tasks and guests, with libuv's types.
 *
 * A function that starts an operation calls no callback: it posts a task. Each task runs once, in an idle callback of
 * its own, outside of other callbacks. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* Embedded. Posted twice before it runs, it runs once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* hf_loop_free() calls `end` unless removed. `end` frees the guest, and calls no callback of the owner. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    uv_async_t alive;    /* keeps uv_run() alive without work; sent when a job's own thread ended */
    uv_timer_t trim;     /* for hf_loop_worked() */
    uint64_t trimmed_ns; /* uv_hrtime(); 0: never */
    uv_idle_t idle;      /* active while tasks wait */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last;    /* guests to end after uv closed all handles */
    struct hf_list jobs;    /* given to uv */
    struct hf_list waiting; /* jobs that may hang, one after another */
    bool may_hang;          /* such a job has or awaits a worker */
    bool closing;           /* nothing starts, only jobs call back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_watch_ops watch;
    struct hf_watches *watches; /* NULL until used */
    struct hf_procs *procs;
    struct hf_bus *bus;                 /* NULL until used */
    struct hf_server_host *server_host; /* NULL until used */
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task);

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* Called in `end`: the new `end` follows after uv closed all handles. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* Work used memory: 10 s later free memory goes back, all of it from 256 KiB on or every 10 minutes. */
void hf_loop_worked(struct hf_loop *loop);

/* The same -errno, except for UV_EAI_* (-EHOSTUNREACH) and others that only uv has (-EIO). */
int hf_loop_errno(int r);

/* For uv_timer_start(): up to 1 ms late, never early. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

/* Each initializes one file's part. */
void hf_sched_init(struct hf_loop *loop);
void hf_sched_reap(struct hf_loop *loop);  /* jobs whose own threads have ended */
void hf_sched_drain(struct hf_loop *loop); /* cancels jobs that did not begin, waits for others */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
void hf_watch_init(struct hf_loop *loop);
