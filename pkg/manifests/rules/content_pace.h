/* SPDX-License-Identifier: Apache-2.0 */
/* How often an entry may accept a content, for flash storage and data plans: a bucket of HF_CONTENT_PACE_BURST tokens,
 * one per content, one back after each gap. The gap starts at one minute. It doubles, up to the caller's limit, each
 * time that the bucket gets empty again; a full bucket resets it. */
#pragma once

#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"

enum { HF_CONTENT_PACE_BURST = 5 };
#define HF_CONTENT_PACE_FIRST_GAP_NS (60 * HF_NS_PER_S)

/* Zeroed: full. */
struct hf_content_pace {
    struct hf_bucket bucket;
    uint64_t gap_ns; /* 0: the first gap; not empty since the bucket was full */
};

/* Time until a content may be accepted. */
uint64_t hf_content_pace_wait_ns(const struct hf_content_pace *pace, uint64_t now_ns);
/* Only after a wait of 0. `longest_ns`: of the gap, at least a minute. */
void hf_content_pace_spend(struct hf_content_pace *pace, uint64_t now_ns, uint64_t longest_ns);
