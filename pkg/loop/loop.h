/* loop/loop.h - the one event loop of a process: libuv, with libcurl and libwebsockets as its guests.
 *
 * One per process, one thread. Makes the real tables that sched.h, http.h and proc.h describe. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"

struct hf_loop;

/* NULL with *err on failure. */
struct hf_loop *hf_loop_new(struct hf_err *err);

/* Cancels everything that is left, runs outstanding `done`s of jobs, frees. */
void hf_loop_free(struct hf_loop *loop);
HF_DEFINE_CLEANUP(struct hf_loop, hf_loop_free)

/* Run until hf_loop_stop(). Signals given to hf_loop_on_signal() arrive as callbacks. */
void hf_loop_run(struct hf_loop *loop);
void hf_loop_stop(struct hf_loop *loop);
HF_MUST_USE int hf_loop_on_signal(struct hf_loop *loop, int signum, void (*fire)(void *arg), void *arg);

/* Tables; valid as long as the loop. */
const struct hf_sched_ops *hf_loop_sched(struct hf_loop *loop);
const struct hf_proc_ops *hf_loop_proc(struct hf_loop *loop);
const struct hf_probe_ops *hf_loop_probe(struct hf_loop *loop);
const struct hf_unit_ops *
hf_loop_unit(struct hf_loop *loop); /* connects to the system bus on first use, reconnects by itself */

/* Watch a descriptor of somebody else's (inotify, netlink). `fire` gets readable/writable as asked. */
struct hf_loop_fd;
HF_MUST_USE int hf_loop_watch_fd(struct hf_loop *loop, int fd, bool readable, bool writable, void (*fire)(void *arg),
                                 void *arg, struct hf_loop_fd **ret_watch);
void hf_loop_unwatch_fd(struct hf_loop_fd *watch);
