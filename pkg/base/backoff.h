/* SPDX-License-Identifier: Apache-2.0 */
/* base/backoff.h - exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter",
 * 2015).
 *
 * The delay after failure n (from 0) is uniform in [0, min(cap_ns, base_ns * 2^n)], but at least floor_ns. Nodes that
 * failed at the same time therefore retry at different times. Pure: no clock, no timer. Threads: any, one at a time for
 * one hf_backoff. */
#pragma once

#include <stdint.h>

#include "base/rand.h"

struct hf_backoff {
    uint64_t base_ns;  /* base of the exponential growth; above 0 */
    uint64_t cap_ns;   /* upper limit of the growing delay; at least base_ns */
    uint64_t floor_ns; /* lower limit of the delay (0 means full jitter without a lower limit) */
    unsigned attempt;  /* number of failures since hf_backoff_reset() */
};

void hf_backoff_reset(struct hf_backoff *backoff);

/* Counts a failure and returns the delay before the next attempt. `at_least_ns` is the delay that the peer requested
 * (Retry-After), or 0. If the computed delay is shorter than `at_least_ns`, the function returns `at_least_ns` plus a
 * random 0 to 10 % of it, even if the sum exceeds `cap_ns`. Without the random part, all clients to which the peer sent
 * the same Retry-After would return at the same moment. */
uint64_t hf_backoff_next_ns(struct hf_backoff *backoff, const struct hf_rand_ops *rng, uint64_t at_least_ns);
