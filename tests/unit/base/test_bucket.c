/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "support/check_main.h"

START_TEST(burst_then_one_per_gap)
{
    struct hf_bucket bucket = {0};
    uint64_t now = 1000, taken = 0;

    for (; now < 1100; now++)
        taken += hf_bucket_take(&bucket, 3, 10, now);
    ck_assert_uint_eq(taken, 3 + 9);
    ck_assert_uint_eq(hf_bucket_wait_ns(&bucket, 3, 10, now), 0);
    ck_assert(hf_bucket_take(&bucket, 3, 10, now) && !hf_bucket_take(&bucket, 3, 10, now));
    ck_assert_uint_eq(hf_bucket_wait_ns(&bucket, 3, 10, now), 10);
    ck_assert_uint_eq(hf_bucket_wait_ns(&bucket, 3, 10, now + 4), 6);
    ck_assert_uint_eq(hf_bucket_wait_ns(&bucket, 3, 10, now - 4), 14);
    ck_assert_uint_eq(hf_bucket_due_ns(&bucket, 0, 10), now + 30);
    ck_assert_uint_eq(hf_bucket_due_ns(&bucket, 3, 10), now);
}
END_TEST

START_TEST(rest_gives_no_more_than_the_burst)
{
    struct hf_bucket bucket = {0};
    unsigned taken = 0;

    for (unsigned i = 0; i < 9; i++)
        taken += hf_bucket_take(&bucket, 5, 10, 7); /* younger than the burst */
    ck_assert_uint_eq(taken, 5);
    for (unsigned i = 0; i < 9; i++)
        taken += hf_bucket_take(&bucket, 5, 10, 1000000);
    ck_assert_uint_eq(taken, 10);
}
END_TEST

START_TEST(what_is_overspent_is_waited_for)
{
    struct hf_bucket bucket = {0};

    for (unsigned i = 0; i < 4; i++)
        hf_bucket_spend(&bucket, 10, 100);
    ck_assert_uint_eq(hf_bucket_wait_ns(&bucket, 2, 10, 100), 30);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, burst_then_one_per_gap);
    tcase_add_test(tc, rest_gives_no_more_than_the_burst);
    tcase_add_test(tc, what_is_overspent_is_waited_for);
}

HF_TEST_MAIN("base/bucket", cases)
