/* SPDX-License-Identifier: Apache-2.0 */
/* What a range answers: has a time come, is a period over. */
#include "base/time/range.h"

#include <check.h>

#include "base/clock.h"
#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S

static const struct {
    uint64_t earliest_s, latest_s, then_s; /* latest 0: no end; then 0: never */
    enum hf_time_answer want;
} comings[] = {
    {10, 10, 11, HF_TIME_NO},     {10, 10, 10, HF_TIME_YES}, {10, 10, 9, HF_TIME_YES},  {10, 20, 15, HF_TIME_UNSURE},
    {10, 20, 20, HF_TIME_UNSURE}, {10, 20, 21, HF_TIME_NO},  {10, 20, 10, HF_TIME_YES}, {10, 0, 999, HF_TIME_UNSURE},
    {10, 0, 5, HF_TIME_YES},      {10, 0, 0, HF_TIME_NO},
};

START_TEST(has_come)
{
    struct hf_time_range range = {.earliest_unix_ns = comings[_i].earliest_s * S,
                                  .latest_unix_ns = comings[_i].latest_s == 0 ? HF_NEVER : comings[_i].latest_s * S};

    ck_assert_int_eq(hf_time_has_come(&range, comings[_i].then_s == 0 ? HF_NEVER : comings[_i].then_s * S),
                     comings[_i].want);
}
END_TEST

static const struct {
    enum hf_time_agreement agreement;
    uint64_t earliest_s, latest_s;
    int64_t from_s, until_s, want;
} periods[] = {
    {HF_TIME_AGREED, 10, 10, 5, 15, 0},  {HF_TIME_AGREED, 10, 10, 5, 8, -2}, {HF_TIME_AGREED, 10, 10, 13, 15, 3},
    {HF_TIME_ALONE, 10, 20, 25, 30, 0},  {HF_TIME_ALONE, 10, 20, 0, 9, -1},  {HF_TIME_ALONE, 10, 20, 12, 15, 0},
    {HF_TIME_UNKNOWN, 10, 0, 90, 99, 0}, {HF_TIME_UNKNOWN, 10, 0, 1, 5, -5}, {HF_TIME_CONTRADICTED, 10, 99, 11, 12, 0},
};

START_TEST(distance)
{
    struct hf_time_range range = {.agreement = periods[_i].agreement,
                                  .earliest_unix_ns = periods[_i].earliest_s * S,
                                  .latest_unix_ns = periods[_i].latest_s == 0 ? HF_NEVER : periods[_i].latest_s * S};

    ck_assert_int_eq(hf_time_distance_s(&range, periods[_i].from_s, periods[_i].until_s), periods[_i].want);
}
END_TEST

START_TEST(names)
{
    for (unsigned i = 0; i < HF_TIME_AGREEMENT_COUNT; i++)
        ck_assert_ptr_nonnull(hf_time_agreement_name((enum hf_time_agreement)i));
}
END_TEST

static uint64_t noon(void *ctx)
{
    (void)ctx;
    return 43200 * S;
}

/* A clock without a range, without signed evidence, without a kernel. */
START_TEST(simple_clock)
{
    const struct hf_clock_ops clock = {.mono_ns = noon, .unix_ns = noon};
    struct hf_time_range range = hf_clock_range(&clock);

    ck_assert_int_eq(range.agreement, HF_TIME_AGREED);
    ck_assert(range.earliest_unix_ns == noon(NULL) && range.latest_unix_ns == noon(NULL));
    ck_assert(range.estimate_unix_ns == noon(NULL) && range.other_unix_ns == noon(NULL));
    ck_assert_uint_eq(hf_clock_sync_error_ns(&clock), HF_NEVER);
    hf_clock_signed_evidence(&clock, 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, has_come, 0, HF_LEN(comings));
    tcase_add_loop_test(tc, distance, 0, HF_LEN(periods));
    tcase_add_test(tc, names);
    tcase_add_test(tc, simple_clock);
}

HF_TEST_MAIN("base/time/range", cases)
