/* loop/probe.h - TCP probes, as a table of functions.
 *
 * Threads: loop thread only. A callback never runs inside the call that asked for it; nothing is called after
 * cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_probe_call;

struct hf_probe_ops {
    void *ctx;
    /* Connects to host:port (numeric address or name) and closes. r: 0 connected, -ECONNREFUSED, -ETIMEDOUT,
     * -EHOSTUNREACH. */
    HF_MUST_USE int (*tcp)(void *ctx, const char *host, uint16_t port, uint64_t timeout_ns,
                           void (*done)(void *arg, int r), void *arg, struct hf_probe_call **ret_call,
                           struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_probe_call *call);
};
