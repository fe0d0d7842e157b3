/* Is there anything that the fast profile would look inside of? Apart from the rest, for programs that unpack nothing. */
#include <string.h>

#include "pack/deep.h"

enum { PASS = 64 };

bool hf_deep_may_hold_zstd(const void *bytes, size_t n)
{
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    const unsigned char *p = bytes;
    size_t at = 0;

    for (; at + PASS + sizeof(magic) <= n; at += PASS) { /* a loop that the compiler does many bytes at a time */
        unsigned char hits = 0;
        for (unsigned i = 0; i < PASS; i++)
            hits |= (unsigned char)((p[at + i] == 0xb5) & (p[at + i + 1] == 0x2f) & (p[at + i + 2] == 0xfd));
        if (hits != 0 && memmem(p + at - (at > 0), PASS + sizeof(magic), magic, sizeof(magic)) != NULL)
            return true;
    }
    at -= at > 0;
    return memmem(p + at, n - at, magic, sizeof(magic)) != NULL;
}
