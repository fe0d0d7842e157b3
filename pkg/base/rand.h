/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers as a table of functions; not for keys. */
#pragma once

#include <stdint.h>

struct hf_rand_ops {
    void *ctx;
    uint64_t (*u64)(void *ctx);
};

/* Returns a number in [0, bound), or 0 for bound 0. */
static inline uint64_t hf_rand_below(const struct hf_rand_ops *rng, uint64_t bound)
{
    uint64_t r = rng->u64(rng->ctx);
    uint64_t low = (r & UINT32_MAX) * (bound & UINT32_MAX) >> 32;
    uint64_t middle = (r >> 32) * (bound & UINT32_MAX) + low;
    uint64_t other = (r & UINT32_MAX) * (bound >> 32) + (middle & UINT32_MAX);

    return (r >> 32) * (bound >> 32) + (middle >> 32) + (other >> 32);
}

/* splitmix64 (Steele, Lea, Flood, 2014), for hf_rand_ops.u64. `ctx`: a seeded uint64_t, one per thread. */
static inline uint64_t hf_rand_mix_u64(void *ctx)
{
    uint64_t *state = ctx;
    uint64_t x = *state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
