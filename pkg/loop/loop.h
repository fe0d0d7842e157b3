/* SPDX-License-Identifier: Apache-2.0 */
/* A process's event loop: libuv, with libcurl and libwebsockets as guests, behind sched.h, proc.h, probe.h, unit.h and
 * watch.h. */
#pragma once

#include "base/err.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "loop/world.h"

struct hf_loop;

struct hf_loop *hf_loop_new(struct hf_err *err);

/* Cancels jobs that have not begun, and waits for others. Returns false if one still runs: then
 * free nothing that jobs use. */
HF_MUST_USE bool hf_loop_drain(struct hf_loop *loop, uint64_t timeout_ns);

/* Waits for jobs without limit, calls their `done`, cancels all calls. */
void hf_loop_free(struct hf_loop *loop);
HF_DEFINE_CLEANUP(struct hf_loop, hf_loop_free)

void hf_loop_run(struct hf_loop *loop);
void hf_loop_stop(struct hf_loop *loop);
HF_MUST_USE int hf_loop_on_signal(struct hf_loop *loop, int signum, void (*fire)(void *arg), void *arg);

const struct hf_sched_ops *hf_loop_sched(struct hf_loop *loop);
/* Returns the real world, without log and metrics. */
struct hf_world hf_loop_world(struct hf_loop *loop);
const struct hf_proc_ops *hf_loop_proc(struct hf_loop *loop);
const struct hf_probe_ops *hf_loop_probe(struct hf_loop *loop);
const struct hf_unit_ops *hf_loop_unit(struct hf_loop *loop);

const struct hf_watch_ops *hf_loop_watch(struct hf_loop *loop);

/* Watches a descriptor of the caller. `fire` also comes, once, when the descriptor is broken. */
struct hf_loop_fd;
HF_MUST_USE int hf_loop_watch_fd(struct hf_loop *loop, int fd, bool readable, bool writable, void (*fire)(void *arg),
                                 void *arg, struct hf_loop_fd **ret_watch);
/* Neither readable nor writable: pauses the watch. */
void hf_loop_rewatch_fd(struct hf_loop_fd *watch, bool readable, bool writable);
/* Ends *watch, which may be NULL, and sets it to NULL. */
void hf_loop_unwatch_fd(struct hf_loop_fd **watch);
