/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/repair_pace.h - limits how often the drift of an entry may be repaired, so that a program that
 * changes a file again and again causes neither many writes to flash storage nor a busy processor. The limiter is a
 * token bucket with HF_REPAIR_PACE_BURST tokens: each repair takes one token, and one token comes back every
 * HF_REPAIR_PACE_TOKEN_NS. Pure. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

enum { HF_REPAIR_PACE_BURST = 10 };
#define HF_REPAIR_PACE_TOKEN_NS (60 * HF_NS_PER_S)

/* All zero is a full bucket. */
struct hf_repair_pace {
    unsigned spent;    /* number of tokens that are taken and have not come back yet */
    uint64_t since_ns; /* monotonic time from which the wait for the next token counts; valid if `spent` is above 0 */
};

/* Returns 0 if a repair may start now. Otherwise returns the time to wait, in nanoseconds. */
uint64_t hf_repair_pace_wait_ns(struct hf_repair_pace *pace, uint64_t now_ns);
/* Takes one token. Call this function only after hf_repair_pace_wait_ns() returned 0. */
void hf_repair_pace_spend(struct hf_repair_pace *pace, uint64_t now_ns);
