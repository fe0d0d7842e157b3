/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>

#include "support/check_main.h"

START_TEST(grows_by_doubling)
{
    uint64_t *items = NULL;
    size_t cap = 0;

    for (size_t n = 0; n < 1000; n++) {
        ck_assert_int_eq(hf_array_grow(items, n, cap, HF_ARRAY_ANY), 0);
        ck_assert(n < cap && cap <= HF_MAX((size_t)8, 2 * n));
        items[n] = n * n;
    }
    for (size_t n = 0; n < 1000; n++)
        ck_assert_uint_eq(items[n], n * n);
    free(items);
}
END_TEST

START_TEST(stops_at_the_maximum)
{
    static const size_t maxima[] = {1, 7, 8, 9, 16, 100};

    for (size_t i = 0; i < HF_LEN(maxima); i++) {
        char *items = NULL;
        uint32_t cap = 0, n = 0;
        for (; n < maxima[i]; n++) {
            ck_assert_int_eq(hf_array_grow(items, n, cap, maxima[i]), 0);
            items[n] = 'x';
        }
        char *before = items;
        ck_assert_int_eq(hf_array_grow(items, n, cap, maxima[i]), -E2BIG);
        ck_assert(items == before && cap == maxima[i]);
        free(items);
    }
    char *none = NULL;
    size_t cap = 0;
    ck_assert_int_eq(hf_array_grow(none, 0, cap, 0), -E2BIG);
    ck_assert(none == NULL && cap == 0);
}
END_TEST

/* The type of `cap` bounds the array, too. */
START_TEST(stops_at_the_type)
{
    char *items = NULL;
    unsigned char cap = 0;

    for (unsigned n = 0; n < UINT8_MAX; n++)
        ck_assert_int_eq(hf_array_grow(items, n, cap, HF_ARRAY_ANY), 0);
    ck_assert_uint_eq(cap, UINT8_MAX);
    ck_assert_int_eq(hf_array_grow(items, UINT8_MAX, cap, HF_ARRAY_ANY), -E2BIG);
    free(items);
}
END_TEST

START_TEST(lower_bound)
{
    static const unsigned items[] = {2, 4, 4, 7, 9};

    for (size_t n = 0; n <= HF_LEN(items); n++)
        for (unsigned key = 0; key < 11; key++) {
            size_t first = 0;
            while (first < n && items[first] < key)
                first++;
            ck_assert_uint_eq(hf_array_lower_bound(i, n, items[i] < key), first);
        }
}
END_TEST

START_TEST(sizes_that_overflow)
{
    void *items = NULL;
    size_t cap = SIZE_MAX / 16 + 1;

    ck_assert_int_eq(hf_array_grow_bytes(&items, 16, cap, &cap, SIZE_MAX), -ENOMEM);
    cap = SIZE_MAX - 1; /* twice that does not fit */
    ck_assert_int_eq(hf_array_grow_bytes(&items, 2, cap, &cap, SIZE_MAX), -ENOMEM);
    ck_assert(items == NULL && cap == SIZE_MAX - 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, grows_by_doubling);
    tcase_add_test(tc, stops_at_the_maximum);
    tcase_add_test(tc, stops_at_the_type);
    tcase_add_test(tc, sizes_that_overflow);
    tcase_add_test(tc, lower_bound);
}

HF_TEST_MAIN("base/array", cases)
