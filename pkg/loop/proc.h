/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes. The event loop calls `done`, but never after cancel(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_proc_call;

enum { HF_PROC_MAX_INPUT = 4096 }; /* bytes of `input`; every pipe takes so many at once */

struct hf_proc_request {
    const char *const *argv; /* copied; argv[0] is absolute */
    const char *const *env;  /* "NAME=value", copied; NULL: PATH and LANG=C */
    const char *cwd;         /* NULL: "/" */
    /* 0: 30 s. After it the child's process group gets SIGTERM, 2 s later its session SIGKILL. */
    uint64_t timeout_ns;
    size_t max_output;    /* bytes of stdout and stderr that are kept; 0: 4096 */
    struct hf_view input; /* For stdin; copied. Empty: /dev/null. */
    /* What the child may hang at, such as a device; copied; or NULL. While a child has not ended 2 s after SIGKILL,
     * spawn() refuses its resource. */
    const char *resource;
    bool stdout_only; /* stderr is dropped */
    bool secret;      /* overwrite the output after `done` */
    /* Called when the child ends (not with the loop), even if a daemon holds the pipes, at the latest 4 s after the
     * timeout. `r`: 0, or -ETIMEDOUT. `exit_code`: 0..255, or 128 + signal. */
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

struct hf_proc_ops {
    void *ctx;
    /* -EBUSY: a child hangs at request->resource */
    HF_MUST_USE int (*spawn)(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_proc_call *call); /* kills the child's group and session */
};
