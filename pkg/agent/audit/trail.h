/* SPDX-License-Identifier: Apache-2.0 */
/* agent/audit/trail.h - keeps the audit log of this node (pkg/audit). In each turn that builds a status, the trail
 * looks at the other parts of the agent, and adds an entry for each change that needs one by the rules of
 * agent/audit/rules.h.
 *
 * Other parts may add entries about events that leave no state behind, with hf_audit_inlet_add(env->audit, ...). While
 * the log cannot be opened, for example because the disk is full, the agent runs without it, counts events and changes
 * as lost, and hf_trail_work() tries to open it every HF_AUDIT_RETRY_NS. Then the newest states get their entries.
 * Threads: loop thread only; opening and writing block for a moment. */
#pragma once

#include "agent/audit/inlet.h"
#include "agent/audit/rules.h"
#include "agent/env.h"
#include "agent/parts.h"
#include "agent/report/status.h"
#include "audit/log.h"

struct hf_trail {
    struct hf_agent_env *env;
    const struct hf_agent_parts *parts;
    struct hf_audit_inlet inlet;
    uint64_t open_due_ns; /* monotonic time at which to try again to open the log */
    uint64_t unread_ns;   /* see hf_audit_log_params.unread_ns */
    struct hf_audit_memory memory;
    struct hf_audit_memory blind;        /* what the looks have seen while there was no log, to count changes */
    const struct hf_config *config_seen; /* the configuration at the last look */
    unsigned leaps_seen;                 /* number of leaps of the wall clock at the last look */
    uint64_t lost_seen;                  /* number of lost entries that the metric already counts */
    /* true if the last readable entry of earlier processes is AgentStopped, or if the log had no readable entry */
    bool ended_well;
    bool failing; /* the last write failed, and the agent has logged this */
    struct hf_metric_family *entries;
};

void hf_trail_init(struct hf_trail *trail, struct hf_agent_env *env, const struct hf_agent_parts *parts);
/* Opens the log, passes its entries to the rules, and adds the entry AgentStarted. Blocks. */
void hf_trail_open(struct hf_trail *trail);
void hf_trail_done(struct hf_trail *trail);

/* Adds entries for all changes since the last call. Call this function in each turn that builds a status. */
void hf_trail_look(struct hf_trail *trail);

/* Writes waiting entries if they are due. hf_trail_wait_until_ns() returns the monotonic time at which to call
 * hf_trail_work() next, or HF_NEVER. */
void hf_trail_work(struct hf_trail *trail);
uint64_t hf_trail_wait_until_ns(const struct hf_trail *trail);

/* Adds the entry AgentStopped and writes all entries. Call this function when an orderly stop begins. */
void hf_trail_stop(struct hf_trail *trail);

/* Returns EdgeNode.status.journal. Writes the hash of the last entry into `hash`, which the result borrows. */
struct hf_status_journal hf_trail_status(const struct hf_trail *trail, char hash[HF_AUDIT_SUM + 1]);
