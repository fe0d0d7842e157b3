/* SPDX-License-Identifier: Apache-2.0 */
/* Tells whether bytes may hold a compressed stream. A file of its own, for programs that link no decoder. */
#include <string.h>

#include "pack/deep/deep.h"

enum { PASS = 64 };

bool hf_deep_may_hold_zstd(const void *bytes, size_t n)
{
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    const unsigned char *p = bytes;
    size_t at = 0;

    for (; at + PASS + sizeof(magic) <= n; at += PASS) { /* the compiler can vectorize the inner loop */
        unsigned char hits = 0;
        for (unsigned i = 0; i < PASS; i++)
            hits |= (unsigned char)((p[at + i] == 0xb5) & (p[at + i + 1] == 0x2f) & (p[at + i + 2] == 0xfd));
        if (hits != 0 && memmem(p + at - (at > 0), PASS + sizeof(magic), magic, sizeof(magic)) != NULL)
            return true;
    }
    at -= at > 0;
    return memmem(p + at, n - at, magic, sizeof(magic)) != NULL;
}

/* Returns true for the beginning of a gzip member, a zip member, an xz stream or a zstd frame. */
static bool may_begin(const unsigned char *p)
{
    static const unsigned char xz[] = {0xfd, '7', 'z', 'X'}, zst[] = {0x28, 0xb5, 0x2f, 0xfd};

    return (p[0] == 0x1f && p[1] == 0x8b && p[2] == 8 && (p[3] & 0xe0) == 0) || memcmp(p, "PK\3\4", 4) == 0 ||
           memcmp(p, xz, sizeof(xz)) == 0 || memcmp(p, zst, sizeof(zst)) == 0;
}

bool hf_deep_may_hold_packed(const void *bytes, size_t n)
{
    enum { LEAST = 4 };
    const unsigned char *p = bytes;
    size_t at = 0;

    while (at + LEAST <= n) {
        size_t end = at + 1;
        if (at + PASS + LEAST <= n) {
            unsigned char hits = 0;
            for (unsigned i = 0; i < PASS; i++)
                hits |= (unsigned char)(((p[at + i] == 0x1f) & (p[at + i + 1] == 0x8b)) |
                                        ((p[at + i] == 'P') & (p[at + i + 1] == 'K')) |
                                        ((p[at + i] == 0xfd) & (p[at + i + 1] == '7')) |
                                        ((p[at + i] == 0x28) & (p[at + i + 1] == 0xb5)));
            end = at + PASS;
            if (hits == 0)
                at = end;
        }
        for (; at < end; at++)
            if (may_begin(p + at))
                return true;
    }
    return false;
}
