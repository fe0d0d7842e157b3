/* agent/env.h - the struct that all parts of an agent share and that no part changes: parameters, clock, and services
 * (next turn, disk queue, counters). agent.c fills the struct in before it makes the parts. Loop thread only. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_diskq;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    const struct hf_fs_ops *fs;       /* from params->home */
    const struct hf_clock_ops *clock; /* the clock of params->home, which may go back */
    struct hf_log *log;               /* log of params; may be NULL */
    const struct hf_config *config;   /* from params: the bounds that the node sets; NULL: the defaults */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* NULL before the agent has read the cache */
    struct hf_agent_counters *counters;
};
