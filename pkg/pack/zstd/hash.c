/* SPDX-License-Identifier: Apache-2.0 */
/* XXH64 (Yann Collet's xxHash specification, 0.1.1). */
#include <string.h>

#include "base/macros.h"
#include "pack/zstd/frame.h"

#define P1 UINT64_C(0x9e3779b185ebca87)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x165667b19e3779f9)
#define P4 UINT64_C(0x85ebca77c2b2ae63)
#define P5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t turn(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
    return turn(lane + input * P2, 31) * P1;
}

static void stripe(struct pack_zframe_hash *hash, const unsigned char *p)
{
    for (unsigned i = 0; i < 4; i++)
        hash->lane[i] = round_of(hash->lane[i], hf_le64(p + 8 * i));
}

void pack_zframe_hash_init(struct pack_zframe_hash *hash)
{
    *hash = (struct pack_zframe_hash){.lane = {P1 + P2, P2, 0, 0 - P1}};
}

void pack_zframe_hash_update(struct pack_zframe_hash *hash, const unsigned char *p, size_t n)
{
    size_t have = hash->n % sizeof(hash->waiting);

    hash->n += n;
    if (have > 0) {
        size_t part = HF_MIN(n, sizeof(hash->waiting) - have);
        memcpy(hash->waiting + have, p, part);
        p += part;
        n -= part;
        if (have + part < sizeof(hash->waiting))
            return;
        stripe(hash, hash->waiting);
    }
    for (; n >= sizeof(hash->waiting); p += sizeof(hash->waiting), n -= sizeof(hash->waiting))
        stripe(hash, p);
    if (n > 0)
        memcpy(hash->waiting, p, n);
}

uint64_t pack_zframe_hash_final(const struct pack_zframe_hash *hash)
{
    size_t n = hash->n % sizeof(hash->waiting), at = 0;
    uint64_t h = hash->lane[2] + P5;

    if (hash->n >= sizeof(hash->waiting)) {
        h = turn(hash->lane[0], 1) + turn(hash->lane[1], 7) + turn(hash->lane[2], 12) + turn(hash->lane[3], 18);
        for (unsigned i = 0; i < 4; i++)
            h = (h ^ round_of(0, hash->lane[i])) * P1 + P4;
    }
    h += hash->n;
    for (; at + 8 <= n; at += 8)
        h = turn(h ^ round_of(0, hf_le64(hash->waiting + at)), 27) * P1 + P4;
    for (; at + 4 <= n; at += 4)
        h = turn(h ^ hf_le32(hash->waiting + at) * P1, 23) * P2 + P3;
    for (; at < n; at++)
        h = turn(h ^ hash->waiting[at] * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}
