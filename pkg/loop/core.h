/* loop/core.h - internal: the state of the loop, tasks and guests. Only pkg/loop includes it, because it uses
 * libuv's types.
 *
 * Tasks keep the rule "a callback never runs inside the call that asked for it": code that wants to call back posts
 * a task, and the loop runs each posted task once in a turn, outside of the callbacks of uv, curl and D-Bus.
 * Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* A function to run in the next turn; embed it in the structure for which it acts. A task posted twice runs once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* A structure that the loop ends if its owner did not. `end` frees it without calling back. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    /* an active handle, so that the loop does not end by itself when it has nothing else to do */
    uv_async_t alive;
    uv_timer_t trim;     /* returns free memory to the system some time after work ended */
    uint64_t trimmed_ns; /* uv_hrtime() of the last such return; 0 never */
    uv_idle_t idle;      /* active while there are tasks: the loop then does not sleep */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last; /* guests to end once uv has closed all handles */
    struct hf_list jobs;
    bool closing; /* the loop is ending: no start succeeds, and only jobs call back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_procs *procs;             /* proc.c */
    struct hf_bus *bus;                 /* unit.c; NULL until first used */
    struct hf_server_host *server_host; /* server/server.c; NULL until first used */
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task); /* removes a task, also one that was never posted */

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* Call from within `end`: the loop calls the new `end` at the very last, when no handle can call back. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* Call after work that used memory: the loop returns some of it when it has been idle for a while. */
void hf_loop_worked(struct hf_loop *loop);

/* Turns an error of uv into -errno: the same number on Linux, except for uv's own errors (EAI_*). */
int hf_loop_errno(int r);

/* Milliseconds for uv_timer_start(), such that the timer never fires before `delay_ns` from now, and less than 1 ms
 * after. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

/* Each initializes the part of the loop that its file owns. */
void hf_sched_init(struct hf_loop *loop);
void hf_sched_drain(struct hf_loop *loop); /* returns when every job is done or cancelled */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
