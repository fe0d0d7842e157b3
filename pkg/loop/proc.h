/* SPDX-License-Identifier: Apache-2.0 */
/* loop/proc.h - child processes, as a table of functions.
 *
 * Threads: loop thread only. The functions of the table never call `done` before they return, and `done` never comes
 * after cancel(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_proc_call;

enum { HF_PROC_MAX_INPUT = 4096 }; /* number of bytes that every pipe takes at once */

struct hf_proc_request {
    const char *const *argv; /* arguments, copied; NULL ends the list, and argv[0] is an absolute path; no shell runs */
    /* environment as "NAME=value", copied; NULL ends the list; if `env` is NULL, the child has only PATH and LANG=C */
    const char *const *env;
    const char *cwd; /* working folder of the child (NULL means "/") */
    /* Limit of the child's run time (0 means 30 s). At the deadline, the loop sends SIGTERM to the process group. 2 s
     * later, it sends SIGKILL to the group and to all other processes of the child's session. */
    uint64_t timeout_ns;
    /* limit in bytes for stdout and stderr together (0 means 4096); the loop drops output beyond it */
    size_t max_output;
    /* What the child reads from stdin, at most HF_PROC_MAX_INPUT bytes. The caller may free it after spawn(). The
     * child's stdin is /dev/null if `input` is empty. */
    struct hf_view input;
    /* Name of the resource at which the child may hang, such as the path of a device; copied; NULL if there is none. No
     * signal ends a process in an uninterruptible system call. If a child still exists 2 s after SIGKILL, spawn()
     * starts no other child with the same `resource` until the child has ended, so that such processes do not pile
     * up. */
    const char *resource;
    bool secret; /* true if the output is secret; the loop then overwrites all its copies of the output after `done` */
    /* Called when the child has ended, or 4 s after the deadline if the child still exists then. `r` is 0, or
     * -ETIMEDOUT if the child had not ended before the deadline. `exit_code` is 0..255, or 128 + the signal's number.
     * The call ends when the child itself ends, even if a daemon that the child started still has the pipes open. */
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

struct hf_proc_ops {
    void *ctx;
    /* -EBUSY: an earlier child hangs at request->resource. Other errors: -errno */
    HF_MUST_USE int (*spawn)(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                             struct hf_err *err);
    /* kills the child's process group and all other processes of its session at once; `done` then does not come */
    void (*cancel)(void *ctx, struct hf_proc_call *call);
};
