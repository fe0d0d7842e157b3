/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/herald.h - reports notable changes of this node as Kubernetes Events about its EdgeNode: an update was
 * committed, rolled back or rejected; an entry of spec.manifests was applied, refused, rolled back or repaired; contact
 * with the source was lost or came back; disk pressure began or ended; the wall clock leapt.
 *
 * sync/outcomes.h and sync/notices.h decide what to report and when. This file makes the Event objects and sends them.
 * Notices that wait for an unreachable server are in <state>/events.json, so that a restart of the agent does not lose
 * them. The file exists only while notices wait.
 *
 * If the server refuses an Event, the agent drops it. The agent logs only the first of several refusals in a row. If
 * the server permits no Events at all (403 or 404), the agent waits ten minutes before it sends the next Event. If
 * there is no server for Events, the agent makes no notices. Threads: loop thread only. */
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
    uint64_t salt;                   /* random number, part of the Events' names; saved with the notices that wait */
    bool has_file;                   /* <state>/events.json exists */
    uint64_t kept;                   /* number of the newest notice in <state>/events.json (0 means none) */
    uint64_t dropped_seen;           /* part of notices.dropped that the metric already counts */
    unsigned leaps_seen;             /* number of leaps of the wall clock at the last look */
    bool away;                       /* true after a notice WentStale, until the notice CameBack */
    uint64_t longest_ns;             /* greatest age of contact since WentStale */
    /* reason of the last notice DiskPressure; NULL before it, and after DiskPressureEnded */
    const char *pressure;
    bool refused; /* the server refused the last Event, and the agent has logged this */
};

void hf_herald_init(struct hf_herald *herald, const struct hf_agent_env *env, const struct hf_agent_parts *parts);

/* Loads the notices that an earlier process has left in <state>/events.json. If the file is damaged, logs this; a later
 * hf_herald_send_if_due() removes or replaces the file. */
void hf_herald_load(struct hf_herald *herald);
void hf_herald_done(struct hf_herald *herald);

/* Makes a notice of each change since the last call. Call this function in each turn that builds a status. */
void hf_herald_look(struct hf_herald *herald);

/* Adds a notice for another part of the agent. */
void hf_herald_tell(struct hf_herald *herald, enum hf_notice_reason reason, const char *text);

/* Call this function when the server accepts statuses again. After an outage (spread_ns is not 0) the next Event waits
 * for a random time of up to five minutes, so that the Events of a fleet do not arrive together. */
void hf_herald_reachable(struct hf_herald *herald, uint64_t spread_ns);

/* Sends the oldest notice if it is due and the server is reachable, and writes or removes the file.
 * hf_herald_wait_until_ns() returns the monotonic time at which to call hf_herald_send_if_due() next, or HF_NEVER. */
void hf_herald_send_if_due(struct hf_herald *herald);
uint64_t hf_herald_wait_until_ns(const struct hf_herald *herald);
