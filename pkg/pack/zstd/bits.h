/* SPDX-License-Identifier: Apache-2.0 */
/* Bit streams of RFC 8878: written from the front, lowest bit first; read from the front (tables) or from the back
 * (symbols). Readers and writers stay within their bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endian.h"

struct pack_zframe_bits_in {
    const unsigned char *p;
    size_t n;
    int64_t at; /* number of unread bits; below 0: too much was read */
};

/* Returns k <= 32 bits from bit `at` on; behind the end they are zeros. */
static inline uint32_t pack_zframe_bits_at(const unsigned char *p, size_t n, uint64_t at, unsigned k)
{
    size_t byte = (size_t)(at >> 3);
    uint64_t word = 0;

    if (byte + 8 <= n)
        word = hf_le64(p + byte);
    else
        for (size_t i = 0; byte + i < n; i++)
            word |= (uint64_t)p[byte + i] << 8 * i;
    return (uint32_t)(word >> (at & 7) & ((UINT64_C(1) << k) - 1));
}

/* Begins to read from the back. Returns false if there is no end mark, which is the highest 1 of the last byte. */
static inline bool pack_zframe_bits_open(struct pack_zframe_bits_in *in, const unsigned char *p, size_t n)
{
    if (n == 0 || p[n - 1] == 0)
        return false;
    *in = (struct pack_zframe_bits_in){p, n, (int64_t)(8 * n) - 1 - (__builtin_clz(p[n - 1]) - 24)};
    return true;
}

static inline uint32_t pack_zframe_bits_back(struct pack_zframe_bits_in *in, unsigned k)
{
    in->at -= k;
    return in->at < 0 ? 0 : pack_zframe_bits_at(in->p, in->n, (uint64_t)in->at, k);
}

struct pack_zframe_bits_out {
    unsigned char *p;
    size_t n, cap;
    uint64_t waiting;
    unsigned waiting_n;
    bool full;
};

static inline void pack_zframe_bits_put_byte(struct pack_zframe_bits_out *out, unsigned char byte)
{
    if (out->n < out->cap)
        out->p[out->n++] = byte;
    else
        out->full = true;
}

/* k <= 32 */
static inline void pack_zframe_bits_put(struct pack_zframe_bits_out *out, uint32_t value, unsigned k)
{
    out->waiting |= (value & ((UINT64_C(1) << k) - 1)) << out->waiting_n;
    for (out->waiting_n += k; out->waiting_n >= 8; out->waiting_n -= 8) {
        pack_zframe_bits_put_byte(out, (unsigned char)out->waiting);
        out->waiting >>= 8;
    }
}

static inline void pack_zframe_bits_flush(struct pack_zframe_bits_out *out)
{
    pack_zframe_bits_put(out, 0, (8 - out->waiting_n) & 7);
}

static inline void pack_zframe_bits_end(struct pack_zframe_bits_out *out)
{
    pack_zframe_bits_put(out, 1, 1);
    pack_zframe_bits_flush(out);
}
