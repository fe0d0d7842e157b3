/* SPDX-License-Identifier: Apache-2.0 */
/* The node's audit log (pkg/audit). Each turn that builds a status adds entries for changed states (audit/rules.h).
 * While the log cannot be opened, entries count as lost, and the trail tries again. Blocks briefly. */
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
    uint64_t open_due_ns;
    uint64_t unread_ns;
    struct hf_audit_memory memory;
    struct hf_audit_memory blind; /* counts changes while the log is not open */
    const struct hf_config *config_seen;
    unsigned leaps_seen;
    uint64_t lost_seen;
    bool ended_well; /* the process before stopped in order, or left no entry */
    bool failing;
    struct hf_metric_family *entries;
};

void hf_trail_init(struct hf_trail *trail, struct hf_agent_env *env, const struct hf_agent_parts *parts);
void hf_trail_open(struct hf_trail *trail);
void hf_trail_done(struct hf_trail *trail);

void hf_trail_look(struct hf_trail *trail);

void hf_trail_work(struct hf_trail *trail);
uint64_t hf_trail_wait_until_ns(const struct hf_trail *trail);

void hf_trail_stop(struct hf_trail *trail);

/* The result borrows `hash`. */
struct hf_status_journal hf_trail_status(const struct hf_trail *trail, char hash[HF_AUDIT_SUM + 1]);
