/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include "base/clock.h"
#include "base/macros.h"
#include "support/check_main.h"

static uint64_t fixed(void *ctx)
{
    return *(uint64_t *)ctx;
}

static uint64_t xorshift(void *ctx)
{
    uint64_t *state = ctx;

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t highest = UINT64_MAX, lowest = 0;
static const struct hf_rand_ops always_highest = {&highest, fixed}, always_lowest = {&lowest, fixed};

START_TEST(ceiling_doubles_up_to_the_cap)
{
    static const uint64_t want_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
    struct hf_backoff backoff = {.base_ns = HF_NS_PER_S, .cap_ns = 30 * HF_NS_PER_S};

    for (size_t i = 0; i < HF_LEN(want_s); i++)
        ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_highest, 0), want_s[i] * HF_NS_PER_S);
    ck_assert_uint_eq(backoff.attempt, HF_LEN(want_s));
    hf_backoff_reset(&backoff);
    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_highest, 0), HF_NS_PER_S);
}
END_TEST

START_TEST(never_overflows)
{
    struct hf_backoff backoff = {.base_ns = 3, .cap_ns = UINT64_MAX - 1, .attempt = 1000000};

    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_highest, 0), UINT64_MAX - 1);
    backoff.attempt = UINT32_MAX;
    (void)hf_backoff_next_ns(&backoff, &always_highest, 0);
    ck_assert_uint_eq(backoff.attempt, UINT32_MAX);
}
END_TEST

START_TEST(no_delay_is_below_the_floor)
{
    uint64_t state = 88172645463325252;
    const struct hf_rand_ops any = {&state, xorshift};

    for (unsigned i = 0; i < 10000; i++) {
        struct hf_backoff backoff = {.base_ns = 1000, .cap_ns = 8000, .floor_ns = 500, .attempt = i % 5};
        ck_assert_uint_ge(hf_backoff_next_ns(&backoff, &any, 0), 500);
    }
}
END_TEST

START_TEST(floor_and_retry_after)
{
    struct hf_backoff backoff = {.base_ns = HF_NS_PER_S, .cap_ns = 2 * HF_NS_PER_S, .floor_ns = 100 * HF_NS_PER_MS};

    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_lowest, 0), 100 * HF_NS_PER_MS);
    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_lowest, 60 * HF_NS_PER_S), 60 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_highest, 60 * HF_NS_PER_S), 66 * HF_NS_PER_S);
    /* What the peer asked for is shorter than what would have been waited anyway. */
    ck_assert_uint_eq(hf_backoff_next_ns(&backoff, &always_highest, HF_NS_PER_S), 2 * HF_NS_PER_S);
}
END_TEST

START_TEST(jitter_spreads_over_the_whole_range)
{
    uint64_t state = 20261120, tenths[10] = {0};
    const struct hf_rand_ops rng = {&state, xorshift};

    for (int i = 0; i < 10000; i++) {
        struct hf_backoff backoff = {.base_ns = HF_NS_PER_S, .cap_ns = HF_NS_PER_S};
        uint64_t delay = hf_backoff_next_ns(&backoff, &rng, 0);
        ck_assert_uint_le(delay, HF_NS_PER_S);
        tenths[HF_MIN(delay / (HF_NS_PER_S / 10), 9u)]++;
    }
    for (size_t i = 0; i < HF_LEN(tenths); i++)
        ck_assert_msg(tenths[i] > 850 && tenths[i] < 1150, "tenth %zu has %llu of 10000", i,
                      (unsigned long long)tenths[i]);
}
END_TEST

START_TEST(below_is_below)
{
    ck_assert_uint_eq(hf_rand_below(&always_highest, 0), 0);
    ck_assert_uint_eq(hf_rand_below(&always_highest, 1), 0);
    ck_assert_uint_eq(hf_rand_below(&always_highest, 10), 9);
    ck_assert_uint_eq(hf_rand_below(&always_highest, UINT64_MAX), UINT64_MAX - 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, ceiling_doubles_up_to_the_cap);
    tcase_add_test(tc, never_overflows);
    tcase_add_test(tc, no_delay_is_below_the_floor);
    tcase_add_test(tc, floor_and_retry_after);
    tcase_add_test(tc, jitter_spreads_over_the_whole_range);
    tcase_add_test(tc, below_is_below);
}
HF_TEST_MAIN("base/backoff", cases)
