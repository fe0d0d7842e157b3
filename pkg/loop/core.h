/* loop/core.h - what the files of this folder share. Nobody else includes it: this is where uv shows.
 *
 * Tasks are how "a callback never runs inside the call that asked for it" is kept: whatever wants to call back posts a task,
 * and the loop runs what is posted once in each turn, outside of uv's, curl's and D-Bus' own callbacks. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"

/* Lives inside the structure it acts for. Posting twice is once. */
struct hf_loop_task {
    struct hf_list link;
    void (*run)(struct hf_loop_task *task);
};

/* Something that hangs on the loop and is ended with it, if its owner did not before. `end` frees without calling back. */
struct hf_loop_guest {
    struct hf_list link;
    void (*end)(struct hf_loop_guest *guest);
};

struct hf_loop {
    uv_loop_t uv;
    uv_async_t alive;    /* keeps the loop from running dry */
    uv_timer_t trim;     /* gives memory back some time after work was done */
    uint64_t trimmed_ns; /* when it last did, uv_hrtime(); 0 never */
    uv_idle_t idle;      /* active while there are tasks: the loop then does not sleep */
    struct hf_list tasks;
    struct hf_list guests;
    struct hf_list last; /* guests that are ended when uv has closed everything */
    struct hf_list jobs;
    bool closing; /* nothing is started, nothing but jobs calls back */
    struct hf_sched_ops sched;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
    struct hf_procs *procs;             /* proc_uv.c */
    struct hf_bus *bus;                 /* unit_sdbus.c, NULL until first used */
    struct hf_server_host *server_host; /* server_listen.c, NULL until first used */
};

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task));
void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task);
void hf_loop_task_drop(struct hf_loop_task *task); /* also one that was never posted */

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest));
void hf_loop_guest_remove(struct hf_loop_guest *guest);
/* From within its `end`: once more, as the very last thing, when no handle can call back any more. */
void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest,
                            void (*end)(struct hf_loop_guest *guest));

/* Work was done that used memory: some of it is given back when it has been quiet for a while. */
void hf_loop_worked(struct hf_loop *loop);

/* uv's errors are -errno on Linux, but for its own (EAI_*) ones. */
int hf_loop_errno(int r);

/* Milliseconds for uv_timer_start() so that it never fires before `delay_ns` from now, and less than one after. */
uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns);

/* Each file's part of the loop. */
void hf_sched_init(struct hf_loop *loop);
void hf_sched_drain(struct hf_loop *loop); /* every job done or cancelled */
HF_MUST_USE int hf_proc_init(struct hf_loop *loop, struct hf_err *err);
void hf_probe_init(struct hf_loop *loop);
void hf_unit_init(struct hf_loop *loop);
