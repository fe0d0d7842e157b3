/* SPDX-License-Identifier: Apache-2.0 */
/* support/fakes/simlife.h - a supervisor around the agents of a simupdate world: it decides as the real one does
 * (supervisor/decision.h), and writes `current`, `good`, `previous` and `verdict` to the simulated disk, where each of
 * its calls may be the last before a power cut, too.
 *
 * What an agent does follows from the content of its slot: "dead" ends at once; that named by `sick` is never healthy;
 * that named by `dies` ends after 30 s, each time; "broken" is alive, and fails the checks of its release (simupdate.h).
 * All others are healthy from their start on. */
#pragma once

#include "supervisor/decision.h"
#include "support/fakes/simupdate.h"

#define HF_SIM_HOST "/var/lib/holdfast/host"

struct hf_simlife {
    struct hf_simupdate *world;
    struct hf_life_ops ops;
    char ran[HF_HOST_SLOT];
    const char *content;     /* of `ran` */
    const char *sick, *dies; /* contents; NULL: none */
    uint64_t started_ns;
    unsigned ends, verdicts, restarts;
    bool said_healthy, awaits_verdict;
};

/* The first slot, as a pod installs it, with this content; it is good. */
void hf_simlife_init(struct hf_simlife *life, struct hf_simupdate *world, const char *content);
/* Starts the supervisor, then an agent, and the next one after its end, until all is settled and the agent has been
 * healthy, the disk has stopped, or an hour has gone by. True: settled. Ends with an agent that runs, if it can. */
bool hf_simlife_run(struct hf_simlife *life);
/* The content at `link`, through it; "absent", "torn". */
const char *hf_simlife_content(struct hf_simlife *life, const char *link);
/* A slot at `name` with the content. */
void hf_simlife_put(struct hf_simlife *life, const char *name, const char *content);
