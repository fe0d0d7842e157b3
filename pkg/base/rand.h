/* SPDX-License-Identifier: Apache-2.0 */
/* base/rand.h - a table of functions that return random numbers. Do not make keys from these numbers; pkg/trust uses
 * OpenSSL's random numbers for keys. Threads: each header that declares a table states the rule. */
#pragma once

#include <stdint.h>

struct hf_rand_ops {
    void *ctx;
    uint64_t (*u64)(void *ctx);
};

/* Returns a number that is uniform in [0, bound); 0 if bound is 0. The result is the high half of the product of
 * `bound` and a random 64-bit number. The function computes this product in 32-bit parts, because 32-bit machines have
 * no 128-bit type. The bias is below 2^-32 for bounds up to 2^32; for larger bounds it is greater, but still small
 * enough for jitter. */
static inline uint64_t hf_rand_below(const struct hf_rand_ops *rng, uint64_t bound)
{
    uint64_t r = rng->u64(rng->ctx);
    uint64_t low = (r & UINT32_MAX) * (bound & UINT32_MAX) >> 32;
    uint64_t middle = (r >> 32) * (bound & UINT32_MAX) + low;
    uint64_t other = (r & UINT32_MAX) * (bound >> 32) + (middle & UINT32_MAX);

    return (r >> 32) * (bound >> 32) + (middle >> 32) + (other >> 32);
}

/* Returns the next number of splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
 * The signature is that of hf_rand_ops.u64. `ctx` points to the state, a uint64_t, which the caller seeds from another
 * generator. Threads: any thread that has a state of its own. */
static inline uint64_t hf_rand_mix_u64(void *ctx)
{
    uint64_t *state = ctx;
    uint64_t x = *state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
