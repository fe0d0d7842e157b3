/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/herald.h - reports notable changes of this node as Events about its EdgeNode (sync/outcomes.h,
 * sync/notices.h). Those for an unreachable server are kept in <state>/events.json. Without a server for Events there
 * are none. */
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
    struct hf_kube_pending *pending; /* in flight, or NULL */
    uint64_t salt;                   /* random, in the Events' names; saved with the notices */
    bool has_file;
    uint64_t kept;         /* number of the newest notice in the file; 0: none */
    uint64_t dropped_seen; /* part of notices.dropped that the metric has */
    unsigned leaps_seen;
    bool away;            /* between WentStale and CameBack */
    uint64_t longest_ns;  /* greatest age of contact since WentStale */
    const char *pressure; /* reason of DiskPressure until it ended, or NULL */
    bool refused;         /* the last Event, and this is logged */
};

void hf_herald_init(struct hf_herald *herald, const struct hf_agent_env *env, const struct hf_agent_parts *parts);

/* From the file; a damaged one is logged, and later replaced. */
void hf_herald_load(struct hf_herald *herald);
void hf_herald_done(struct hf_herald *herald);

/* In each turn that builds a status. */
void hf_herald_look(struct hf_herald *herald);

void hf_herald_tell(struct hf_herald *herald, enum hf_notice_reason reason, const char *text);

/* The server accepts statuses again. After an outage (spread_ns not 0) the next Event waits up to five minutes, so that
 * a fleet's do not come together. */
void hf_herald_reachable(struct hf_herald *herald, uint64_t spread_ns);

/* Sends the oldest, if due and the server is reachable; writes or removes the file. */
void hf_herald_send_if_due(struct hf_herald *herald);
uint64_t hf_herald_wait_until_ns(const struct hf_herald *herald);
