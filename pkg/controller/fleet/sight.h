/* SPDX-License-Identifier: Apache-2.0 */
/* For how long this process could not see the fleet: broken watches, its own pause, or agents that still come back. It
 * makes no node silent. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* One that looks less often did not run. */
#define HF_SIGHT_PAUSE_NS (60 * HF_NS_PER_S)
/* After an outage longer than HF_SIGHT_FLAP_NS, agents return over HF_SIGHT_RETURN_NS (hf_kube_set_spread()); a shorter
 * one costs only itself. */
#define HF_SIGHT_FLAP_NS (10 * HF_NS_PER_S)
#define HF_SIGHT_RETURN_NS (300 * HF_NS_PER_S)

/* Monotonic times. Zeros: blind. */
struct hf_sight {
    bool sees, has_seen;
    uint64_t looked_ns;
    uint64_t blind_ns; /* until looked_ns */
    uint64_t clear_ns; /* seen from here to looked_ns */
    uint64_t lost_ns;  /* if not `sees` */
};

/* Blind time so far. At least every HF_SIGHT_PAUSE_NS. */
uint64_t hf_sight_look(struct hf_sight *sight, uint64_t now_ns);

/* `heard_ns`: last sign of life, since which it was blind if it has lost sight. */
void hf_sight_set(struct hf_sight *sight, uint64_t now_ns, bool sees, uint64_t heard_ns);
