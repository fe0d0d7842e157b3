/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/collect.h - collects the content of a status from all parts of the agent, and builds the essence of the
 * status (report/status.h). Threads: loop thread only. */
#pragma once

#include "agent/parts.h"
#include "agent/report/status.h"
#include "sync/steady.h"

struct hf_collect_params {
    const struct hf_agent_parts *parts;
    struct hf_steady *steady;     /* remembers the reported status of each update (sync/steady.h) */
    json_t *conditions;           /* array of conditions, which hf_collect_status() updates in place */
    bool stopped;                 /* true if the agent stops, so that this is its last status */
    bool name_shared;             /* true if the node assumes that another agent uses its name (report/echo.h) */
    const char *delivery_failure; /* reason why the server refuses statuses; NULL if the server accepts them */
    int64_t generation;           /* generation of this node's EdgeNode (0 means unknown) */
};

/* Calls `each` for at most 16 of the objects and files that this node refuses or cannot read, with the texts of the
 * status. Does not visit objects that found no room. */
void hf_collect_refused(const struct hf_agent_parts *parts, void (*each)(void *arg, const struct hf_refused *refused),
                        void *arg);

/* Collects the status. Sets *ret_essence to a new object, and *ret_look_again_ns to the monotonic time at which the
 * essence may change without an event, or to HF_NEVER. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_collect_status(const struct hf_collect_params *params, struct hf_readiness *ret_readiness,
                                  json_t **ret_essence, uint64_t *ret_look_again_ns);
