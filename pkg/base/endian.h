/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes numbers at any address, little-endian (le) or big-endian (be). Pure. */
#pragma once

#include <stdint.h>

static inline uint32_t hf_le16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t hf_le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t hf_le64(const unsigned char *p)
{
    return hf_le32(p) | (uint64_t)hf_le32(p + 4) << 32;
}

static inline uint32_t hf_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline void hf_put_le32(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
    p[2] = (unsigned char)(v >> 16);
    p[3] = (unsigned char)(v >> 24);
}

static inline void hf_put_be32(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)(v >> 24);
    p[1] = (unsigned char)(v >> 16);
    p[2] = (unsigned char)(v >> 8);
    p[3] = (unsigned char)v;
}

static inline void hf_put_le64(unsigned char *p, uint64_t v)
{
    hf_put_le32(p, (uint32_t)v);
    hf_put_le32(p + 4, (uint32_t)(v >> 32));
}

/* n: 1 to 8 bytes. */
static inline uint64_t hf_le(const unsigned char *p, unsigned n)
{
    uint64_t v = 0;

    if (n == 4)
        return hf_le32(p);
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static inline void hf_put_le(unsigned char *p, unsigned n, uint64_t v)
{
    if (n == 4) {
        hf_put_le32(p, (uint32_t)v);
        return;
    }
    for (unsigned i = 0; i < n; i++, v >>= 8)
        p[i] = (unsigned char)v;
}
