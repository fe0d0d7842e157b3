/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/permit.h - removes from a policy's telemetry settings what the node's configuration does not allow.
 *
 * Each refusal removes one source, list entry or sink, or lowers the limit of the buffer; the rest stays in effect.
 * Threads: any; is_own_url() may ask the kernel. */
#pragma once

#include "api/telemetry.h"
#include "base/err.h"
#include "config/config.h"

struct hf_permit {
    const struct hf_config *config;      /* NULL: the defaults */
    enum hf_config_scope scope;          /* a signed policy may do more */
    bool (*is_own_url)(const char *url); /* is the URL's host an address of this node? */
    /* Called for each refusal. `field` is relative to spec.telemetry; `err` names the configuration line that would
     * allow it. */
    void (*refused)(void *arg, const char *field, const struct hf_err *err);
    /* Called by hf_telemetry_permit_scrapes_again() for each target that is allowed by now, with the `err` of its
     * refusal; else may be NULL. */
    void (*granted)(void *arg, const struct hf_err *err);
    void *arg;
};

/* *spec is a shallow copy of a decoded policy. Refused entries move to the end of their list and its count shrinks; the
 * policy keeps its own counts and frees them. `single`: the policy has `sink`, not `sinks`. */
void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit);

/* Checks refused targets again, as the node's addresses may have changed. `all`: targets in the policy. Appends the
 * allowed ones; returns how many. */
size_t hf_telemetry_permit_scrapes_again(struct hf_telemetry_sources *sources, size_t all,
                                         const struct hf_permit *permit);
