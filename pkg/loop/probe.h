/* SPDX-License-Identifier: Apache-2.0 */
/* TCP probes. `done` never comes before a function returns, or after cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_probe_call;

struct hf_probe_ops {
    void *ctx;
    /* Connects and closes. `host`: name or address. timeout_ns 0: 10 s. `r`: 0, -ECONNREFUSED, -ETIMEDOUT,
     * -EHOSTUNREACH (also an unknown name), others. `done` does not come if the loop ends, or after -EINVAL (bad host
     * or port), -ECANCELED or -ENOMEM. */
    HF_MUST_USE int (*tcp)(void *ctx, const char *host, uint16_t port, uint64_t timeout_ns,
                           void (*done)(void *arg, int r), void *arg, struct hf_probe_call **ret_call,
                           struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_probe_call *call);
};
