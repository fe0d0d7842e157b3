/* loop/proc.h - child processes, TCP probes and systemd units, as tables of functions. Loop thread only; a callback never
 * runs inside the call that asked for it; nothing is called after cancel(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_proc_call;

struct hf_proc_request {
    const char *const *argv; /* argv[0] is an absolute path; never a shell. Copied. */
    const char *const *env;  /* "NAME=value", NULL ends; NULL: PATH and LANG=C only. Copied. */
    const char *cwd;         /* NULL: "/" */
    uint64_t
        timeout_ns; /* then SIGTERM, 2 s later SIGKILL, to the whole process group and whatever it left in it; 0: 30 s */
    size_t max_output; /* stdout and stderr together, the rest is read and thrown away; 0: 4096 */
    /* r: 0 exited, -ETIMEDOUT killed at the deadline, -errno could not start. exit_code: 0..255, or 128 + signal.
     * A child that daemonises does not hold this up: the end is when the child itself ended, pipes still held are closed. */
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

struct hf_proc_ops {
    void *ctx;
    HF_MUST_USE int (*spawn)(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_proc_call *call); /* kills the group at once; `done` is not called */
};
