/* SPDX-License-Identifier: Apache-2.0 */
/* When the policy allows bulk transfers: windows with an unsure clock, the quota, and the average of measurements. */
#include "api/link/link.h"

#include "support/check_main.h"

#define HOUR_NS (3600 * HF_NS_PER_S)
/* 1970-01-04 was a Sunday; the times below count from its midnight. */
#define SUNDAY_NS (3 * 24 * HOUR_NS)

/* Every day from 02:00 to 05:00 UTC. */
static struct hf_window night = {.days = 0x7f, .start_s = 2 * 3600, .duration_ns = 3 * HOUR_NS};

static const struct {
    const char *name;
    unsigned windows;
    enum hf_time_agreement agreement;
    double estimate_h, other_h; /* hours after midnight of Sunday */
    bool quota_used;
    enum hf_link want;
    uint64_t want_wait_ns;
} rows[] = {
    {"no windows", 0, HF_TIME_UNKNOWN, 0, 0, false, HF_LINK_OPEN, HF_NEVER},
    {"no windows, quota used", 0, HF_TIME_AGREED, 0, 0, true, HF_LINK_QUOTA_USED, HF_NEVER},
    {"inside", 1, HF_TIME_AGREED, 3, 3, false, HF_LINK_OPEN, 600 * HF_NS_PER_S},
    {"inside, near the end", 1, HF_TIME_AGREED, 4.99, 4.99, false, HF_LINK_OPEN, 36 * HF_NS_PER_S},
    {"inside, quota used", 1, HF_TIME_AGREED, 3, 3, true, HF_LINK_QUOTA_USED, 600 * HF_NS_PER_S},
    {"outside", 1, HF_TIME_AGREED, 12, 12, false, HF_LINK_WINDOW_CLOSED, 600 * HF_NS_PER_S},
    {"outside, near the start", 1, HF_TIME_ALONE, 1.99, 1.99, false, HF_LINK_WINDOW_CLOSED, 36 * HF_NS_PER_S},
    {"outside, quota used", 1, HF_TIME_AGREED, 12, 12, true, HF_LINK_WINDOW_CLOSED, 600 * HF_NS_PER_S},
    {"the clock is unknown", 1, HF_TIME_UNKNOWN, 3, 3, false, HF_LINK_CLOCK_UNSURE, 60 * HF_NS_PER_S},
    {"witnesses differ about it", 1, HF_TIME_CONTRADICTED, 3, 12, false, HF_LINK_CLOCK_UNSURE, 60 * HF_NS_PER_S},
    {"witnesses differ, both inside, on other days", 1, HF_TIME_CONTRADICTED, 3, 27, false, HF_LINK_CLOCK_UNSURE,
     60 * HF_NS_PER_S},
    {"witnesses differ, both inside", 1, HF_TIME_CONTRADICTED, 3, 4, false, HF_LINK_OPEN, 600 * HF_NS_PER_S},
};

static uint64_t at(double hours)
{
    return SUNDAY_NS + (uint64_t)(hours * 3600) * HF_NS_PER_S;
}

START_TEST(judge)
{
    const struct hf_policy_connectivity policy = {.windows = &night, .n_windows = rows[_i].windows};
    const struct hf_time_range range = {.agreement = rows[_i].agreement,
                                        .estimate_unix_ns = at(rows[_i].estimate_h),
                                        .other_unix_ns = at(rows[_i].other_h)};
    uint64_t wait_ns = 0;

    ck_assert_msg(hf_link_judge(&policy, &range, rows[_i].quota_used, &wait_ns) == rows[_i].want, "%s", rows[_i].name);
    ck_assert_msg(wait_ns == rows[_i].want_wait_ns, "%s: %ju", rows[_i].name, (uintmax_t)wait_ns);
}
END_TEST

START_TEST(average)
{
    ck_assert_uint_eq(hf_link_average(0, 800), 800);
    ck_assert_uint_eq(hf_link_average(800, 400), 700);
    ck_assert_uint_eq(hf_link_average(800, 800), 800);
    ck_assert_uint_eq(hf_link_average(UINT64_MAX, UINT64_MAX) > UINT64_MAX - 8, true);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, judge, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, average);
}
HF_TEST_MAIN("api/link", cases)
