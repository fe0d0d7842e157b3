/* agent/report/collect.h - collects the content of a status from all parts of the agent, and builds the essence of the
 * status (report/status.h). Loop thread only. */
#pragma once

#include "agent/parts.h"
#include "agent/report/status.h"
#include "sync/steady.h"

struct hf_collect_params {
    const struct hf_agent_parts *parts;
    struct hf_steady *steady;     /* decides which details of an update are new */
    json_t *conditions;           /* updated in place */
    bool stopped;                 /* the agent stops: this is its last status */
    bool name_shared;             /* see report/echo.h */
    const char *delivery_failure; /* reason why the server refuses statuses; NULL: the server accepts them */
    int64_t generation;           /* generation of the EdgeNode; 0: unknown */
};

/* *ret_essence is a new object. *ret_look_again_ns is the monotonic time after which the essence may change by itself,
 * or HF_NEVER. -ENOMEM. */
HF_MUST_USE int hf_collect_status(const struct hf_collect_params *params, struct hf_readiness *ret_readiness,
                                  json_t **ret_essence, uint64_t *ret_look_again_ns);
