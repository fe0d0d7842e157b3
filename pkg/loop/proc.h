/* loop/proc.h - child processes, as a table of functions.
 *
 * Threads: loop thread only. A callback never runs inside the call that asked for it; nothing is called after
 * cancel(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_proc_call;

struct hf_proc_request {
    const char *const *argv; /* argv[0] is an absolute path; never a shell. Copied. */
    const char *const *env;  /* "NAME=value", NULL ends; NULL: only PATH and LANG=C. Copied. */
    const char *cwd;         /* NULL: "/" */
    /* Deadline: SIGTERM to the process group, 2 s later SIGKILL to the group and to all that is left in its
     * session. 0: 30 s. */
    uint64_t timeout_ns;
    size_t max_output; /* limit for stdout and stderr together; the loop drops further output; 0: 4096 */
    /* r: 0 exited, -ETIMEDOUT killed at the deadline, -errno could not start. exit_code: 0..255, or 128 + signal.
     * The call ends when the child itself ends, even if a daemon that it started still holds the pipes. */
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

struct hf_proc_ops {
    void *ctx;
    HF_MUST_USE int (*spawn)(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_proc_call *call); /* kills the group at once, without `done` */
};
