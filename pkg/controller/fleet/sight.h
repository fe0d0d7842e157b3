/* SPDX-License-Identifier: Apache-2.0 */
/* Measures how long this process could not see the fleet: watches were broken, it did not run, or agents still come
 * back. Such time makes no node silent. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* A process that calls hf_sight_look() less often did not run. */
#define HF_SIGHT_PAUSE_NS (60 * HF_NS_PER_S)
/* After an outage longer than HF_SIGHT_FLAP_NS, agents return within HF_SIGHT_RETURN_NS (HF_RF_SPREAD_MAX_NS), which is
 * blind time, too. */
#define HF_SIGHT_FLAP_NS (10 * HF_NS_PER_S)
#define HF_SIGHT_RETURN_NS (300 * HF_NS_PER_S)

/* Monotonic times. Zeros at first: blind. */
struct hf_sight {
    bool sees, has_seen;
    uint64_t looked_ns;
    uint64_t blind_ns; /* blind time until looked_ns */
    uint64_t clear_ns; /* time from looked_ns to this is blind; lies in the future while agents return */
    uint64_t lost_ns;  /* when sight was lost, if not `sees` */
};

/* Returns the blind time so far. Call it at least every HF_SIGHT_PAUSE_NS. */
uint64_t hf_sight_look(struct hf_sight *sight, uint64_t now_ns);

/* `heard_ns`: last sign of life; if not `sees`, the process is blind since then. */
void hf_sight_set(struct hf_sight *sight, uint64_t now_ns, bool sees, uint64_t heard_ns);
