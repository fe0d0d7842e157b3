/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of an agent share. agent.c sets it; audit/trail.c sets `audit`. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_audit_inlet;
struct hf_diskq;
struct hf_floor_guard;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    struct hf_world world;          /* its Unix time may go back */
    const struct hf_config *config; /* NULL: defaults */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* NULL before the cache is read */
    struct hf_agent_counters *counters;
    struct hf_floor_guard *floors;
    struct hf_audit_inlet *audit; /* takes entries about events that no state shows */
};
