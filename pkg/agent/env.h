/* SPDX-License-Identifier: Apache-2.0 */
/* agent/env.h - what all parts of an agent share. Set by agent.c (`audit` by audit/trail.c), read by all. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_audit_inlet;
struct hf_diskq;
struct hf_floor_guard;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock; /* its Unix time may go back */
    struct hf_log *log;
    const struct hf_config *config; /* the node's bounds; NULL: the defaults */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* NULL before the cache is read */
    struct hf_agent_counters *counters;
    struct hf_floor_guard *floors; /* compares floors with a counter in the TPM; may be NULL */
    struct hf_audit_inlet *audit;  /* for events that leave no state; may be NULL */
};
