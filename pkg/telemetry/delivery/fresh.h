/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/fresh.h - decides which records of a lane are backlog and which are live. Pure.
 *
 * While the policy's spec.connectivity closes the link, the backlog waits, and live records are still sent. A new
 * record is live. It becomes backlog one to two periods after it was stored, or when the agent restarts; a period lasts
 * a minute or longer (hf_fresh_init()). All requests that carry live records of one lane together may have
 * HF_FRESH_SHARE_BYTES per minute (the share). Live records beyond the share count as backlog too. The periods count on
 * the monotonic clock, so a wrong wall clock changes nothing. Threads: any, but only one at a time for one struct
 * hf_fresh. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* the share: bytes per minute, after compression, of the requests that send the live records of one lane */
enum { HF_FRESH_SHARE_BYTES = 64 << 10 };

#define HF_FRESH_PERIOD_NS (60 * HF_NS_PER_S)

struct hf_fresh {
    uint64_t period_ns;
    uint64_t old_until; /* highest sequence of the backlog */
    uint64_t mark;      /* highest sequence on disk when the period began */
    uint64_t began_ns;  /* monotonic time at which the period began */
    /* monotonic time at which the share covers all bytes sent so far; live records wait only if this time is a minute
     * or more ahead */
    uint64_t paid_ns;
};

/* Initializes *fresh. All records up to the sequence `stored` are backlog. Every record after `stored` is live for at
 * least twice `wait_ns`, and for at least HF_FRESH_PERIOD_NS. `wait_ns` is the longest time that a record waits for its
 * batch to become full. */
void hf_fresh_init(struct hf_fresh *fresh, uint64_t stored, uint64_t wait_ns, uint64_t now_ns);

/* Starts a new period if the current period has passed. The records that were on disk when the current period began
 * then become backlog. Call this function before each call of hf_fresh_wait_until_ns(), hf_fresh_is_live() or
 * hf_fresh_pay(). `stored` is the highest sequence on disk. */
void hf_fresh_look(struct hf_fresh *fresh, uint64_t stored, uint64_t now_ns);

/* Returns the monotonic time from which the share lets the next live record be sent. If this time is in the past, the
 * record may be sent now. */
uint64_t hf_fresh_wait_until_ns(const struct hf_fresh *fresh);

/* Returns true if a batch that begins with the sequence `first` is live, and the share lets the batch be sent now. */
bool hf_fresh_is_live(const struct hf_fresh *fresh, uint64_t first, uint64_t now_ns);

/* Counts `bytes`, the size of a live batch, against the share. The batch may be larger than what remains of the share;
 * the next live batch then waits longer. */
void hf_fresh_pay(struct hf_fresh *fresh, uint64_t bytes, uint64_t now_ns);
