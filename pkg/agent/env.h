/* SPDX-License-Identifier: Apache-2.0 */
/* agent/env.h - the struct that all parts of an agent share: the parameters, the clock, the next turn, the disk queue
 * and the counters. agent.c sets the fields; agent/audit/trail.c sets `audit`. All other parts only read them. Threads:
 * loop thread only. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_audit_inlet;
struct hf_diskq;
struct hf_floor_guard;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    const struct hf_fs_ops *fs;       /* from params->home */
    const struct hf_clock_ops *clock; /* clock of params->home; its Unix time may go back */
    struct hf_log *log;               /* from params; may be NULL */
    const struct hf_config *config;   /* from params: bounds that the node sets; NULL means the defaults */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* queue of disk writes; NULL before the agent has read the cache */
    struct hf_agent_counters *counters;
    struct hf_floor_guard *floors; /* compares floors with a counter in the TPM; may be NULL */
    struct hf_audit_inlet *audit;  /* takes events that leave no state behind; may be NULL */
};
