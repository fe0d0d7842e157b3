/* agent/env.h - what every part of an agent uses and none of them changes: parameters, clock, and the services that
 * take requests (a turn, the disk queue, counters). agent.c fills it in before it makes the parts. Loop thread only. */
#pragma once

#include "agent/agent.h"

struct hf_agent_counters;
struct hf_diskq;
struct hf_turn;

struct hf_agent_env {
    const struct hf_agent_params *params;
    const struct hf_fs_ops *fs;       /* from params->home */
    const struct hf_clock_ops *clock; /* from params->home: never goes back */
    struct hf_log *log;               /* from params; may be NULL */
    struct hf_turn *turn;
    struct hf_diskq *diskq; /* NULL before the agent has read the cache */
    struct hf_agent_counters *counters;
};
