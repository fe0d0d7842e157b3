/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include "support/check_main.h"

static int freed;

static void count(void *value)
{
    freed += *(int *)value;
}

static int one = 1, ten = 10, hundred = 100;

START_TEST(ordered_whatever_the_order_of_insertion)
{
    static const char *const keys[] = {"m", "a", "z", "b", "y", "c", "x", "d", "w", "e", "v"};
    _cleanup_(hf_strmap_done) struct hf_strmap map = {.free_value = NULL};

    for (size_t i = 0; i < HF_LEN(keys); i++)
        ck_assert_int_eq(hf_strmap_put(&map, keys[i], &one), 0);
    ck_assert_uint_eq(map.n, HF_LEN(keys));
    for (size_t i = 1; i < map.n; i++)
        ck_assert_str_lt(map.entries[i - 1].key, map.entries[i].key);
    for (size_t i = 0; i < HF_LEN(keys); i++)
        ck_assert_ptr_eq(hf_strmap_get(&map, keys[i]), &one);
    ck_assert_ptr_null(hf_strmap_get(&map, "q"));
    ck_assert_ptr_null(hf_strmap_get(&map, ""));
}
END_TEST

START_TEST(values_are_freed_once)
{
    _cleanup_(hf_strmap_done) struct hf_strmap map = {.free_value = count};

    freed = 0;
    ck_assert_int_eq(hf_strmap_put(&map, "a", &one), 0);
    ck_assert_int_eq(hf_strmap_put(&map, "b", &ten), 0);
    ck_assert_int_eq(hf_strmap_put(&map, "c", &hundred), 0);
    ck_assert_int_eq(hf_strmap_put(&map, "a", &one), 0); /* the same value again */
    ck_assert_int_eq(freed, 0);
    ck_assert_int_eq(hf_strmap_put(&map, "a", &hundred), 0);
    ck_assert_int_eq(freed, 1);
    ck_assert(hf_strmap_remove(&map, "b"));
    ck_assert_int_eq(freed, 11);
    ck_assert(!hf_strmap_remove(&map, "b"));
    ck_assert_ptr_eq(hf_strmap_take(&map, "c"), &hundred);
    ck_assert_ptr_null(hf_strmap_take(&map, "c"));
    ck_assert_int_eq(freed, 11);
    hf_strmap_done(&map);
    ck_assert_int_eq(freed, 111);
    ck_assert_uint_eq(map.n, 0);
    ck_assert_int_eq(hf_strmap_put(&map, "again", &one), 0);
    ck_assert_ptr_eq(hf_strmap_get(&map, "again"), &one);
}
END_TEST

START_TEST(removal_without_a_free_function)
{
    _cleanup_(hf_strmap_done) struct hf_strmap map = {.free_value = NULL};

    ck_assert_int_eq(hf_strmap_put(&map, "a", &one), 0);
    ck_assert_int_eq(hf_strmap_put(&map, "b", &ten), 0);
    ck_assert(hf_strmap_remove(&map, "a"));
    ck_assert_ptr_null(hf_strmap_get(&map, "a"));
    ck_assert_ptr_eq(hf_strmap_get(&map, "b"), &ten);
    ck_assert_int_eq(hf_strmap_put(&map, "b", &one), 0);
    ck_assert_ptr_eq(hf_strmap_get(&map, "b"), &one);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, ordered_whatever_the_order_of_insertion);
    tcase_add_test(tc, values_are_freed_once);
    tcase_add_test(tc, removal_without_a_free_function);
}
HF_TEST_MAIN("base/strmap", cases)
