/* SPDX-License-Identifier: Apache-2.0 */
/* Limits how often an entry may accept a content. A bucket has HF_CONTENT_PACE_BURST tokens; a content costs one, and
 * one comes back after each gap. The gap starts at one minute. It doubles, up to a limit, each time that the bucket
 * gets empty again; a full bucket resets it. */
#pragma once

#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"

enum { HF_CONTENT_PACE_BURST = 5 };
#define HF_CONTENT_PACE_FIRST_GAP_NS (60 * HF_NS_PER_S)

struct hf_content_pace {
    struct hf_bucket bucket;
    uint64_t gap_ns; /* 0: the bucket has not been empty since it was last full */
};

uint64_t hf_content_pace_wait_ns(const struct hf_content_pace *pace, uint64_t now_ns);
/* Takes a token; call it only when the wait is 0. `longest_ns`: limit of the gap, at least a minute. */
void hf_content_pace_spend(struct hf_content_pace *pace, uint64_t now_ns, uint64_t longest_ns);
