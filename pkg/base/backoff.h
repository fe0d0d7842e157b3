/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). Pure.
 *
 * The delay after failure n (from 0) is uniform in [0, min(cap_ns, base_ns * 2^n)], at least floor_ns. */
#pragma once

#include <stdint.h>

#include "base/rand.h"

struct hf_backoff {
    uint64_t base_ns; /* > 0 */
    uint64_t cap_ns;  /* >= base_ns */
    uint64_t floor_ns;
    unsigned attempt;
};

void hf_backoff_reset(struct hf_backoff *backoff);

/* Counts a failure and returns the delay. `at_least_ns`: what the peer asks for (Retry-After), or 0; a shorter delay
 * becomes at_least_ns plus a random 0 to 10 %, even beyond cap_ns. */
uint64_t hf_backoff_next_ns(struct hf_backoff *backoff, const struct hf_rand_ops *rng, uint64_t at_least_ns);
