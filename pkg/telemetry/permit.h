/* SPDX-License-Identifier: Apache-2.0 */
/* Takes out of a policy's telemetry what agent.yaml does not allow: single sources, list entries or sinks, or lowers a
 * buffer. Threads: any; is_own_url() may ask the kernel. */
#pragma once

#include "api/telemetry.h"
#include "base/err.h"
#include "config/config.h"

struct hf_permit {
    const struct hf_config *config;      /* NULL: defaults */
    enum hf_config_scope scope;          /* signed: may do more */
    bool (*is_own_url)(const char *url); /* a host of this node? */
    /* `field`: below spec.telemetry; `err`: the line that would allow it. */
    void (*refused)(void *arg, const char *field, const struct hf_err *err);
    /* Called by hf_telemetry_permit_scrapes_again() for each target allowed by now, with its refusal's `err`; NULL for
     * others. */
    void (*granted)(void *arg, const struct hf_err *err);
    void *arg;
};

/* spec: a shallow copy of a policy's. Refused entries go behind the list's shrunk count; the policy keeps its own, and
 * frees them. `single`: `sink`, not `sinks`. */
void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit);

/* Refused targets, as addresses may have changed. `all`: in the policy. Appends allowed ones; returns how many. */
size_t hf_telemetry_permit_scrapes_again(struct hf_telemetry_sources *sources, size_t all,
                                         const struct hf_permit *permit);
