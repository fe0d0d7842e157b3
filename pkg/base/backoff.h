/* base/backoff.h - exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 *
 * Delay n is uniform in [0, min(cap, base * 2^n)], but never below `floor_ns`: ten thousand nodes that failed together come
 * back spread out. Pure: no clock, no timer. */
#pragma once

#include <stdint.h>

#include "base/rand.h"

struct hf_backoff {
    uint64_t base_ns;  /* > 0 */
    uint64_t cap_ns;   /* >= base_ns */
    uint64_t floor_ns; /* smallest delay returned; 0 for pure full jitter */
    unsigned attempt;  /* failures since the last hf_backoff_reset() */
};

void hf_backoff_reset(struct hf_backoff *backoff);

/* Count a failure and return the delay before the next try. `at_least_ns`: what the peer asked for (Retry-After), 0 when it
 * did not; it is obeyed even above the cap, with up to 10 % added so that obedient clients spread too. */
uint64_t hf_backoff_next_ns(struct hf_backoff *backoff, const struct hf_rand_ops *rng, uint64_t at_least_ns);
