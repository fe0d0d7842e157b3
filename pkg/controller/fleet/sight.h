/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/sight.h - measures for how long this process could not see the fleet: its watches were broken, it
 * did not run, or the agents had had no time to come back after an outage. Nobody may call a node silent because of
 * such time. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* A process that looks less often than this did not run, or its machine was suspended. */
#define HF_SIGHT_PAUSE_NS (60 * HF_NS_PER_S)
/* After an outage that is longer than HF_SIGHT_FLAP_NS, agents come back over up to HF_SIGHT_RETURN_NS (kube/kube.h,
 * hf_kube_set_spread()). A shorter outage costs only itself, so that a server whose watches often end stops nothing. */
#define HF_SIGHT_FLAP_NS (10 * HF_NS_PER_S)
#define HF_SIGHT_RETURN_NS (300 * HF_NS_PER_S)

/* All times are monotonic. Begins blind if it is all zero. */
struct hf_sight {
    bool sees, has_seen;
    uint64_t looked_ns; /* last call of any function */
    uint64_t blind_ns;  /* sum of the blind time before looked_ns */
    uint64_t clear_ns;  /* the time from here to looked_ns counts as seen, if looked_ns is later */
    uint64_t lost_ns;   /* start of the present outage, if sees is false */
};

/* Returns the sum of the blind time so far. Call it at least every HF_SIGHT_PAUSE_NS. */
uint64_t hf_sight_look(struct hf_sight *sight, uint64_t now_ns);

/* Records that this process now sees the fleet, or does not. `heard_ns` is the time of the last sign of life from the
 * API server (0 if unknown): if the process has lost sight, the time since then was blind, too. */
void hf_sight_set(struct hf_sight *sight, uint64_t now_ns, bool sees, uint64_t heard_ns);
