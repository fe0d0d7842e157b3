/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/extend.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

enum { WORD = 8 };

static uint64_t differing(const unsigned char *a, const unsigned char *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x ^ y;
}

/* Counts zero bytes: sets the upper bit of each, then adds them up. */
static unsigned zero_bytes(uint64_t word)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t zero = ~(((word & low) + low) | word | low) >> 7;

    return (unsigned)(zero * 0x0101010101010101 >> 56);
}

size_t delta_common_prefix(const unsigned char *a, size_t a_n, const unsigned char *b, size_t b_n)
{
    size_t n = HF_MIN(a_n, b_n), i = 0;

    for (; i + WORD <= n; i += WORD) {
        uint64_t word = le64toh(differing(a + i, b + i));
        if (word != 0)
            return i + (unsigned)__builtin_ctzll(word) / 8;
    }
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

size_t delta_count_equal(const unsigned char *a, const unsigned char *b, size_t n)
{
    size_t equal = 0, i = 0;

    for (; i + WORD <= n; i += WORD)
        equal += zero_bytes(differing(a + i, b + i));
    for (; i < n; i++)
        equal += a[i] == b[i];
    return equal;
}

/* Number of equal bytes minus differing ones, now and at its maximum. */
struct score {
    long now, most;
    size_t at;
};

static void note(struct score *score, long by, size_t end)
{
    score->now += by;
    if (score->now > score->most) {
        score->most = score->now;
        score->at = end;
    }
}

/* Adds a word of which `equal` bytes are equal. False if the order of the bytes matters. */
static bool note_word(struct score *score, unsigned equal, size_t end)
{
    if (equal < WORD && score->now + (long)equal > score->most)
        return false;
    note(score, 2 * (long)equal - WORD, end);
    return true;
}

/* True if the remaining bytes can still raise the maximum. */
static bool may_rise(const struct score *score, size_t left)
{
    return score->now + (long)left > score->most;
}

/* With `step` 1 byte i is a[i], with -1 it is a[-1 - i]. */
static inline size_t reach(const unsigned char *a, const unsigned char *b, size_t n, int step)
{
    struct score score = {0};

    for (size_t i = 0; i < n && may_rise(&score, n - i);) {
        size_t end = HF_MIN(n, i + WORD);
        ptrdiff_t word = step > 0 ? (ptrdiff_t)i : -(ptrdiff_t)end;
        if (end - i == WORD && note_word(&score, zero_bytes(differing(a + word, b + word)), end))
            i = end;
        for (; i < end; i++) {
            ptrdiff_t byte = step > 0 ? (ptrdiff_t)i : -1 - (ptrdiff_t)i;
            note(&score, a[byte] == b[byte] ? 1 : -1, i + 1);
        }
    }
    return score.at;
}

size_t delta_extend_forward(const unsigned char *a, const unsigned char *b, size_t n)
{
    return reach(a, b, n, 1);
}

size_t delta_extend_back(const unsigned char *a_end, const unsigned char *b_end, size_t n)
{
    return reach(a_end, b_end, n, -1);
}
