/* base/rand.h - random numbers from outside, as a table of functions. Not for keys: trust uses OpenSSL's. */
#pragma once

#include <stdint.h>

struct hf_rand_ops {
    void *ctx;
    uint64_t (*u64)(void *ctx);
};

/* Uniform in [0, bound); 0 when bound is 0. Multiplication keeps the bias below 2^-32 for bounds up to 2^32 and is good
 * enough for jitter above. */
static inline uint64_t hf_rand_below(const struct hf_rand_ops *rng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)rng->u64(rng->ctx) * bound) >> 64);
}
