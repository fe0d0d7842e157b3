/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of matches, eight bytes at a time, against the same computed byte by byte. */
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "delta/match/extend.h"
#include "support/check_main.h"
#include "support/makers/draw.h"

enum { N = 200, ROUNDS = 20000 };

/* Each byte in stretches of several lengths is equal, or differs in one bit. */
static void make(unsigned char *a, unsigned char *b)
{
    for (size_t i = 0; i < N;) {
        bool equal = draw() % 2 == 0;
        size_t n = 1 + draw() % (draw() % 4 == 0 ? 60 : 4), end = HF_MIN(i + n, (size_t)N);
        for (; i < end; i++) {
            a[i] = (unsigned char)draw();
            b[i] = (unsigned char)(a[i] ^ (equal ? 0 : 1U << draw() % 8));
        }
    }
}

static size_t common_by_byte(const unsigned char *a, const unsigned char *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static size_t equal_by_byte(const unsigned char *a, const unsigned char *b, size_t n)
{
    size_t equal = 0;

    for (size_t i = 0; i < n; i++)
        equal += a[i] == b[i];
    return equal;
}

/* `step` -1: backwards from the end. */
static size_t reach_by_byte(const unsigned char *a, const unsigned char *b, size_t n, int step)
{
    size_t at = 0;
    long score = 0, most = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = step > 0 ? i : n - 1 - i;
        score += a[k] == b[k] ? 1 : -1;
        if (score > most) {
            most = score;
            at = i + 1;
        }
    }
    return at;
}

START_TEST(as_byte_by_byte)
{
    unsigned char a[N], b[N];

    for (unsigned round = 0; round < ROUNDS; round++) {
        make(a, b);
        size_t from = draw() % 16, n = draw() % (N - from + 1);
        const unsigned char *x = a + from, *y = b + from;
        ck_assert_uint_eq(delta_common_prefix(x, n, y, N - from), common_by_byte(x, y, n));
        ck_assert_uint_eq(delta_common_prefix(x, N - from, y, n), common_by_byte(x, y, n));
        ck_assert_uint_eq(delta_count_equal(x, y, n), equal_by_byte(x, y, n));
        ck_assert_uint_eq(delta_extend_forward(x, y, n), reach_by_byte(x, y, n, 1));
        ck_assert_uint_eq(delta_extend_back(x + n, y + n, n), reach_by_byte(x, y, n, -1));
    }
}
END_TEST

START_TEST(reaches_over_differing_bytes)
{
    const unsigned char a[] = "abcdef--ghijklmnopqrstuvwxyz", b[] = "abcdef..ghijkl..............";

    ck_assert_uint_eq(delta_extend_forward(a, b, 28), 14);
    ck_assert_uint_eq(delta_extend_forward(a, b, 8), 6);
    ck_assert_uint_eq(delta_extend_forward(a + 6, b + 6, 2), 0);
    ck_assert_uint_eq(delta_extend_back(a + 14, b + 14, 14), 14);
    ck_assert_uint_eq(delta_extend_back(a + 28, b + 28, 28), 0);
    ck_assert_uint_eq(delta_extend_forward(a, b, 0), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, as_byte_by_byte);
    tcase_add_test(tc, reaches_over_differing_bytes);
}

HF_TEST_MAIN("delta/extend", cases)
