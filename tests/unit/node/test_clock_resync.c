/* SPDX-License-Identifier: Apache-2.0 */
/* When the agent asks for a resync of the clock, and which leaps of the wall clock it reports. */
#include "node/clock_resync.h"

#include "support/check_main.h"

#define S HF_NS_PER_S
#define M (60 * S)
#define H (3600 * S)
#define U0 (1800000000ull * S)

START_TEST(at_once_and_then_once_an_hour)
{
    struct hf_clock_resync resync = {0};
    uint64_t wait = 0;

    ck_assert(!hf_clock_resync_take(&resync, false, 10 * S, &wait));
    ck_assert_uint_eq(wait, HF_NEVER);
    ck_assert(hf_clock_resync_take(&resync, true, 11 * S, &wait));
    ck_assert_uint_eq(wait, H);
    ck_assert(!hf_clock_resync_take(&resync, true, 12 * S, &wait));
    ck_assert_uint_eq(wait, H - S);
    /* A clock that was right in between changes nothing about the limit. */
    ck_assert(!hf_clock_resync_take(&resync, false, 13 * S, &wait));
    ck_assert(!hf_clock_resync_take(&resync, true, 11 * S + H - 1, &wait));
    ck_assert(hf_clock_resync_take(&resync, true, 11 * S + H, &wait));
}
END_TEST

/* A Date that lies all day costs 24 requests. */
START_TEST(a_liar_costs_little)
{
    struct hf_clock_resync resync = {0};
    uint64_t wait = 0;
    unsigned asked = 0;

    for (uint64_t t = S; t < 24 * H; t += 7 * S)
        asked += hf_clock_resync_take(&resync, true, t, &wait);
    ck_assert_uint_eq(asked, 24);
}
END_TEST

START_TEST(leaps)
{
    struct hf_clock_resync resync = {0};

    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 0, U0, 5 * M), 0); /* the first reading compares with nothing */
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, H, U0 + H, 5 * M), 0);
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 2 * H, U0 + 2 * H + 5 * M, 5 * M),
                     0); /* not more than the limit */
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 3 * H, U0 + 4 * H + 5 * M, 5 * M), (int64_t)H);
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 4 * H, U0 + 5 * H + 5 * M, 5 * M),
                     0); /* a leap is reported once */
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 5 * H, 0, 5 * M), -(int64_t)(U0 + 6 * H + 5 * M)); /* 1970 */
    ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, 6 * H, H, 5 * M), 0);
}
END_TEST

/* A clock that slews a little at each reading does not leap, however far it goes. */
START_TEST(slewing_is_no_leap)
{
    struct hf_clock_resync resync = {0};
    uint64_t wall = U0;

    for (uint64_t t = 0; t < 100 * H; t += 5 * M) {
        ck_assert_int_eq(hf_clock_resync_leap_ns(&resync, t, wall, 5 * M), 0);
        wall += 5 * M + 4 * S;
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, at_once_and_then_once_an_hour);
    tcase_add_test(tc, a_liar_costs_little);
    tcase_add_test(tc, leaps);
    tcase_add_test(tc, slewing_is_no_leap);
}
HF_TEST_MAIN("node/clock_resync", cases)
