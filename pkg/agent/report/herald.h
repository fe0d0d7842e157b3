/* SPDX-License-Identifier: Apache-2.0 */
/* Reports notable changes as Events of this node's EdgeNode (sync/outcomes.h, sync/notices.h); <state>/events.json
 * keeps them while the server is unreachable. Without a server for Events, none are added or sent. */
#pragma once

#include "agent/parts.h"
#include "base/backoff.h"
#include "kube/call.h"
#include "sync/notices.h"
#include "sync/outcomes.h"

struct hf_herald {
    const struct hf_agent_env *env;
    const struct hf_agent_parts *parts;
    struct hf_notices notices;
    struct hf_outcomes outcomes;
    struct hf_backoff backoff;
    struct hf_kube_pending *pending;
    uint64_t salt;
    bool has_file;
    uint64_t kept;
    uint64_t dropped_seen;
    unsigned leaps_seen;
    bool away;
    uint64_t longest_ns;
    const char *pressure;
    bool refused;
};

void hf_herald_init(struct hf_herald *herald, const struct hf_agent_env *env, const struct hf_agent_parts *parts);

void hf_herald_load(struct hf_herald *herald);
void hf_herald_done(struct hf_herald *herald);

void hf_herald_look(struct hf_herald *herald);

void hf_herald_tell(struct hf_herald *herald, enum hf_notice_reason reason, const char *text);

/* Records that the server is reachable. After an outage (spread_ns not 0), the next Event waits up to five minutes. */
void hf_herald_reachable(struct hf_herald *herald, uint64_t spread_ns);

void hf_herald_send_if_due(struct hf_herald *herald);
uint64_t hf_herald_wait_until_ns(const struct hf_herald *herald);
