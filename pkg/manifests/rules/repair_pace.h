/* SPDX-License-Identifier: Apache-2.0 */
/* How often drift may be repaired, for flash storage and processor: a bucket of HF_REPAIR_PACE_BURST tokens per entry,
 * one per repair, one back every HF_REPAIR_PACE_TOKEN_NS. Pure. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

enum { HF_REPAIR_PACE_BURST = 10 };
#define HF_REPAIR_PACE_TOKEN_NS (60 * HF_NS_PER_S)

/* Zeroed: full. */
struct hf_repair_pace {
    unsigned spent;    /* tokens not back yet */
    uint64_t since_ns; /* monotonic start of the wait for a token, if `spent` > 0 */
};

/* 0: now. */
uint64_t hf_repair_pace_wait_ns(struct hf_repair_pace *pace, uint64_t now_ns);
/* Only after a wait of 0. */
void hf_repair_pace_spend(struct hf_repair_pace *pace, uint64_t now_ns);
