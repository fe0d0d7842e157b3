/* agent/env.h - the struct that all parts of an agent read and no part changes. It has the parameters, the clock, and
 * what the parts use together (the next turn, the disk queue, the counters). agent.c sets the fields before it makes
 * the parts. Threads: loop thread only. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_diskq;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    const struct hf_fs_ops *fs;       /* from params->home */
    const struct hf_clock_ops *clock; /* clock of params->home, whose time may go back */
    struct hf_log *log;               /* from params; may be NULL */
    const struct hf_config *config;   /* from params: bounds that the node sets; NULL means the defaults */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* queue of disk writes; NULL before the agent has read the cache */
    struct hf_agent_counters *counters;
};
