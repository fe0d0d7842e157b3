/* SPDX-License-Identifier: Apache-2.0 */
/* A fast hash, equal on every machine. Collisions can be chosen: compare the bytes too. */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hf_hash_mix(uint64_t h)
{
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ h >> 27) * 0x94d049bb133111ebull;
    return h ^ h >> 31;
}

static inline uint64_t hf_hash64(const void *bytes, size_t n, uint64_t seed)
{
    const char *p = bytes;
    uint64_t h = seed ^ (n * 0x9e3779b97f4a7c15ull), word;

    for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        h = (h ^ le64toh(word)) * 0x9fb21c651e98df25ull;
        h ^= h >> 32;
    }
    word = 0;
    if (n > 0)
        memcpy(&word, p, n);
    return hf_hash_mix(h ^ le64toh(word));
}
