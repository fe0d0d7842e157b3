/* SPDX-License-Identifier: Apache-2.0 */
/* loop/loop.h - the one event loop of a process: libuv, with libcurl and libwebsockets as its guests.
 *
 * A process has one loop, on one thread. The loop implements the tables of sched.h, proc.h, probe.h, unit.h and
 * watch.h. Threads: loop thread only. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "loop/watch.h"

struct hf_loop;

/* Makes the loop. Returns NULL and sets *err on failure. */
struct hf_loop *hf_loop_new(struct hf_err *err);

/* Takes no new jobs from now on, cancels the jobs that have not begun, waits for the others for at most timeout_ns, and
 * calls `done` of each job that has ended. Returns false if a job still runs: it may hang in the kernel for ever, for
 * example on a network file system whose server does not answer. Then nothing that a job uses may be freed; the process
 * can only end. */
HF_MUST_USE bool hf_loop_drain(struct hf_loop *loop, uint64_t timeout_ns);

/* Waits for running jobs, however long they take, calls `done` of each job, cancels all calls, and frees the loop. */
void hf_loop_free(struct hf_loop *loop);
HF_DEFINE_CLEANUP(struct hf_loop, hf_loop_free)

/* Runs the loop until hf_loop_stop(). Signals given to hf_loop_on_signal() arrive as callbacks. */
void hf_loop_run(struct hf_loop *loop);
void hf_loop_stop(struct hf_loop *loop);
HF_MUST_USE int hf_loop_on_signal(struct hf_loop *loop, int signum, void (*fire)(void *arg), void *arg);

/* Returns the table of sched.h. This table and those of the next four functions are valid as long as the loop. */
const struct hf_sched_ops *hf_loop_sched(struct hf_loop *loop);
const struct hf_proc_ops *hf_loop_proc(struct hf_loop *loop);
const struct hf_probe_ops *hf_loop_probe(struct hf_loop *loop);
/* Returns the table of unit.h. A call of the table connects to the system bus if there is no connection, and the
 * connection closes after 30 s without a call. */
const struct hf_unit_ops *hf_loop_unit(struct hf_loop *loop);

const struct hf_watch_ops *hf_loop_watch(struct hf_loop *loop); /* Returns the table of watch.h. */

/* Watches a descriptor that the caller owns (inotify, netlink). The loop calls `fire` when the descriptor is readable
 * or writable, as the caller has selected, and once more when the descriptor is broken. */
struct hf_loop_fd;
HF_MUST_USE int hf_loop_watch_fd(struct hf_loop *loop, int fd, bool readable, bool writable, void (*fire)(void *arg),
                                 void *arg, struct hf_loop_fd **ret_watch);
void hf_loop_unwatch_fd(struct hf_loop_fd *watch);
