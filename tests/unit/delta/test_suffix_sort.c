/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/suffix_sort.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static uint32_t state;

static uint32_t next(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static const unsigned char *text;
static size_t text_n;

static int by_suffix(const void *a, const void *b)
{
    size_t x = (size_t) * (const int32_t *)a, y = (size_t) * (const int32_t *)b, x_n = text_n - x, y_n = text_n - y;
    int by = memcmp(text + x, text + y, x_n < y_n ? x_n : y_n);

    return by != 0 ? by : x_n < y_n ? -1 : 1;
}

static void check_sorted(const unsigned char *bytes, size_t n, const char *name)
{
    int32_t *got = malloc((n + 1) * sizeof(*got)), *want = malloc((n + 1) * sizeof(*want));

    text = bytes;
    text_n = n;
    for (size_t i = 0; i < n; i++)
        want[i] = (int32_t)i;
    qsort(want, n, sizeof(*want), by_suffix);
    memset(got, 0x55, (n + 1) * sizeof(*got));
    ck_assert_int_eq(delta_suffix_sort(bytes, n, got), 0);
    ck_assert_msg(memcmp(got, want, n * sizeof(*got)) == 0, "%s, %zu bytes", name, n);
    ck_assert_int_eq(got[n], 0x55555555); /* no write past the end */
    free(got);
    free(want);
}

START_TEST(known_texts)
{
    static const char *const texts[] = {
        "",         "a",        "aa",           "ab",   "ba",  "banana", "mississippi", "abababab", "cacbcacbcacb",
        "aaaaaaab", "baaaaaaa", "\xff\x00\xff", "zyxw", "wxyz"};

    check_sorted((const unsigned char *)texts[_i], strlen(texts[_i]), texts[_i]);
}
END_TEST

/* Few letters and many repeats: the names of the pieces need sorting, several levels deep. */
START_TEST(texts_that_repeat)
{
    unsigned char bytes[700];

    state = (uint32_t)_i + 1;
    for (unsigned round = 0; round < 60; round++) {
        size_t n = next(sizeof(bytes)) + 1, from = next((uint32_t)n) + 1;
        uint32_t letters = next(5) + 1, first = round % 2 * 250;
        for (size_t i = 0; i < n; i++)
            bytes[i] = i < from ? (unsigned char)(next(letters) + first) : bytes[i - from];
        check_sorted(bytes, n, "repeats");
    }
}
END_TEST

/* Fibonacci words recurse deepest in this algorithm. */
START_TEST(a_deep_text)
{
    unsigned char bytes[2600] = {'b', 'a'};
    size_t before = 1, n = 2;

    while (n + before <= sizeof(bytes)) {
        memcpy(bytes + n, bytes, before);
        size_t sum = n + before;
        before = n;
        n = sum;
    }
    check_sorted(bytes, n, "fibonacci");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, known_texts, 0, 14);
    tcase_add_loop_test(tc, texts_that_repeat, 0, 20);
    tcase_add_test(tc, a_deep_text);
}

HF_TEST_MAIN("delta/suffix_sort", cases)
