/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/parts.h"
#include "agent/report/status.h"
#include "sync/steady.h"

struct hf_collect_params {
    const struct hf_agent_parts *parts;
    struct hf_steady *steady;
    json_t *conditions;
    bool stopped;
    bool name_shared;             /* another agent uses this node's name (report/echo.h) */
    const char *delivery_failure; /* or NULL */
    int64_t generation;
};

/* Calls each() for at most 16 refused or unreadable objects, files and plans; not for objects without room. */
void hf_collect_refused(const struct hf_agent_parts *parts, void (*each)(void *arg, const struct hf_refused *refused),
                        void *arg);

/* Makes the essence of the status (report/status.h). *ret_look_again_ns: when to make it again without an event, or
 * HF_NEVER. */
HF_MUST_USE int hf_collect_status(const struct hf_collect_params *params, struct hf_readiness *ret_readiness,
                                  json_t **ret_essence, uint64_t *ret_look_again_ns);
