/* SPDX-License-Identifier: Apache-2.0 */
/* Removes what agent.yaml does not allow from a policy's telemetry: sources, list entries, sinks; lowers a too large
 * buffer. Threads: any. */
#pragma once

#include "api/telemetry.h"
#include "base/err.h"
#include "config/config.h"

struct hf_permit {
    const struct hf_config *config; /* NULL: defaults */
    enum hf_config_scope scope;
    bool (*is_own_url)(const char *url); /* whether the URL's host is this node */
    /* Called per refusal. `field` is below spec.telemetry; `err` mostly names the line of agent.yaml that would
     * allow it. */
    void (*refused)(void *arg, const char *field, const struct hf_err *err);
    /* Called for each scrape target that is allowed again, with the `err` of its refusal. */
    void (*granted)(void *arg, const struct hf_err *err);
    void *arg;
};

/* `spec` is a shallow copy of the policy's telemetry. Refused entries are moved behind the end of their list. `single`:
 * the policy has `sink`, not `sinks`. */
void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit);

/* Checks refused scrape targets again, because addresses may have changed. Appends targets now allowed, and returns
 * their number. */
size_t hf_telemetry_permit_scrapes_again(struct hf_telemetry_sources *sources, size_t all,
                                         const struct hf_permit *permit);
