/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: the loop, tasks and guests, with libuv's types.
 *
 * A function that starts an operation calls no callback; most post a task. Tasks run in an idle callback, outside of
 * all others. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* Embedded. Posted twice before it runs, it runs only once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* hf_loop_free() calls `end`, which frees the guest and calls no callback of the owner. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    uv_async_t alive; /* keeps uv_run() alive without work */
    uv_timer_t trim;
    uint64_t trimmed_ns; /* uv_hrtime(); 0: never */
    uv_idle_t idle;      /* active while tasks wait */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last;    /* guests to end after uv has closed all handles */
    struct hf_list jobs;    /* jobs that run, or wait for a worker */
    struct hf_list waiting; /* jobs that may hang, one after another */
    bool may_hang;          /* a job that may hang has a worker, or waits for one */
    bool closing;           /* nothing new starts, only jobs call back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_watch_ops watch;
    struct hf_watches *watches;
    struct hf_procs *procs;
    struct hf_bus *bus;
    struct hf_server_host *server_host;
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task);

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* Call in `end`: the new `end` follows after uv has closed all handles. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* Call after work that used memory: 10 s later free memory goes back to the system. */
void hf_loop_worked(struct hf_loop *loop);

/* Returns uv's error as -errno; UV_EAI_*: -EHOSTUNREACH; others that only uv has: -EIO. */
int hf_loop_errno(int r);

/* Returns the delay for uv_timer_start(): up to 1 ms late, never early. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

void hf_sched_init(struct hf_loop *loop);
void hf_sched_reap(struct hf_loop *loop);  /* ends jobs whose own threads have ended */
void hf_sched_drain(struct hf_loop *loop); /* cancels jobs that have not begun, waits for others */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
void hf_watch_init(struct hf_loop *loop);
