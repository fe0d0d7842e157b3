/* SPDX-License-Identifier: Apache-2.0 */
/* loop/probe.h - TCP probes, as a table of functions.
 *
 * Threads: loop thread only. The functions of the table never call `done` before they return, and `done` never comes
 * after cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_probe_call;

struct hf_probe_ops {
    void *ctx;
    /* Connects to host:port, where `host` is a numeric address or a name, and closes the connection. `r` of `done` is 0
     * (connected), -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH (also if the name is unknown) or another -errno, such as
     * -ENOMEM. A timeout_ns of 0 means 10 s. Returns 0 and sets *ret_call, which is valid until `done` begins. If the
     * loop ends before, `done` never comes. On failure, the function does not call `done` and returns -EINVAL (no host,
     * a host of 256 bytes or more, or port 0), -ECANCELED (the loop is ending) or -ENOMEM. */
    HF_MUST_USE int (*tcp)(void *ctx, const char *host, uint16_t port, uint64_t timeout_ns,
                           void (*done)(void *arg, int r), void *arg, struct hf_probe_call **ret_call,
                           struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_probe_call *call);
};
