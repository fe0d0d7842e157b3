/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 *
 * The delay after failure n (from 0) is uniform in [0, min(cap_ns, base_ns * 2^n)], but at least floor_ns, so that
 * nodes which failed together retry apart. Pure. */
#pragma once

#include <stdint.h>

#include "base/rand.h"

struct hf_backoff {
    uint64_t base_ns; /* above 0 */
    uint64_t cap_ns;  /* at least base_ns */
    uint64_t floor_ns;
    unsigned attempt; /* failures since the reset */
};

void hf_backoff_reset(struct hf_backoff *backoff);

/* `at_least_ns`: from the peer (Retry-After), or 0; a shorter delay becomes it plus a random 0 to 10 %, even beyond
 * cap_ns. */
uint64_t hf_backoff_next_ns(struct hf_backoff *backoff, const struct hf_rand_ops *rng, uint64_t at_least_ns);
