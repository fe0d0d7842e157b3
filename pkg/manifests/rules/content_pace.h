/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/content_pace.h - limits how often an entry may accept a new content, so that a source that changes
 * all the time wears out neither the flash storage nor the data plan. The limiter is a token bucket with
 * HF_CONTENT_PACE_BURST tokens: each content takes one token, and one token comes back after each gap. The gap is one
 * minute at first. The first time that a content takes the last token, the gap stays as it is. Each further time, the
 * gap doubles, up to a limit that the caller passes. When the bucket is full again, the gap is one minute again.
 * Pure. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

enum { HF_CONTENT_PACE_BURST = 5 };
#define HF_CONTENT_PACE_FIRST_GAP_NS (60 * HF_NS_PER_S)

/* All zero is a full bucket. */
struct hf_content_pace {
    unsigned spent;    /* number of tokens that are taken and have not come back yet */
    uint64_t since_ns; /* monotonic time at which the current gap began; valid if `spent` is above 0 */
    /* current gap; 0 if the bucket has not been empty since it was last full, which means the first gap */
    uint64_t gap_ns;
};

/* Returns 0 if the entry may accept a new content now. Otherwise returns the time to wait, in nanoseconds. */
uint64_t hf_content_pace_wait_ns(struct hf_content_pace *pace, uint64_t now_ns);
/* Takes one token. Call this function only after hf_content_pace_wait_ns() returned 0. longest_ns is the maximum of the
 * gap; a value below one minute counts as one minute. */
void hf_content_pace_spend(struct hf_content_pace *pace, uint64_t now_ns, uint64_t longest_ns);
