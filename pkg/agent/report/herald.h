/* agent/report/herald.h - reports notable changes of this node as Kubernetes Events about its EdgeNode: an update was
 * committed, rolled back or rejected; contact with the source was lost and came back.
 *
 * sync/outcomes.h and sync/notices.h decide what to report and when. This file makes the Event objects and sends them.
 * A server that refuses Events costs the Events alone: the agent logs the first refusal and tries again ten minutes
 * later with the next one. Threads: loop thread only. */
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
    struct hf_kube_pending *pending; /* the request in flight; NULL if there is none */
    uint64_t salt;                   /* random number of this process, part of the Events' names */
    uint64_t dropped_seen;           /* value of notices.dropped that the metric has */
    bool away;                       /* the notice WentStale was made, and CameBack was not */
    uint64_t longest_ns;             /* greatest age of contact since WentStale */
    bool refused;                    /* the server refused the last Event, and the log says so */
};

void hf_herald_init(struct hf_herald *herald, const struct hf_agent_env *env, const struct hf_agent_parts *parts);
void hf_herald_done(struct hf_herald *herald);

/* Makes a notice of each change since the last call. Call this function in each turn that builds a status. */
void hf_herald_look(struct hf_herald *herald);

/* Call this function when the server accepts statuses again. After an outage (spread_ns is not 0) the next Event waits
 * for a random time of up to five minutes, so that the Events of a fleet do not arrive together. */
void hf_herald_reachable(struct hf_herald *herald, uint64_t spread_ns);

/* Sends the oldest notice if it is due and the server is in reach. hf_herald_wait_until_ns() returns the monotonic time
 * at which to call hf_herald_send_if_due() next, or HF_NEVER. */
void hf_herald_send_if_due(struct hf_herald *herald);
uint64_t hf_herald_wait_until_ns(const struct hf_herald *herald);
