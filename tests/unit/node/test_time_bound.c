/* SPDX-License-Identifier: Apache-2.0 */
/* The lower bound: what raises it, how fast, and what lowers it. */
#include "node/time_bound.h"

#include <check.h>

#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S
#define DAY (24ull * 3600 * S)
#define NOW (HF_TIME_BUILD_UNIX_NS + 100 * DAY)

/* A wall clock that is `ahead` of the truth for `lie_s` seconds, between `before_s` and `after_s` honest ones. */
static const struct {
    const char *name;
    uint64_t synced; /* where the bound starts */
    unsigned step_s; /* time between two readings */
    uint64_t error;
    int64_t ahead;
    unsigned before_s, lie_s, after_s;
    int64_t least_s, most_s; /* where the bound ends, relative to the truth */
} rows[] = {
    {"follows a synchronized clock", NOW, 1, 0, 0, 0, 0, 3600, -1, 0},
    {"catches up a second each second", NOW - 3600 * S, 1, 0, 0, 0, 0, 1800, -1804, -1798},
    {"reaches it, and stops there", NOW - 3600 * S, 1, 0, 0, 0, 0, 7200, -1, 0},
    {"not synchronized: drifts behind only", NOW, 1, HF_NEVER, 0, 0, 0, 100000, -101, -99},
    {"not synchronized: a leap is nothing", NOW, 1, HF_NEVER, 50 * 365 * (int64_t)DAY, 10, 3600, 10, -5, 0},
    {"a stated error too great", NOW, 1, 3 * S, 50 * 365 * (int64_t)DAY, 10, 3600, 10, -5, 0},
    {"4 s of lies move it by 4 s", NOW, 1, 0, 399 * (int64_t)DAY, 100, 4, 0, 2, 4},
    {"and are gone soon after", NOW, 1, 0, 399 * (int64_t)DAY, 100, 4, 10, -1, 0},
    {"a day of lies moves it by a day", NOW, 10, 0, 399 * (int64_t)DAY, 100, 86400, 0, 86000, 86400},
    {"and needs another to heal", NOW, 10, 0, 399 * (int64_t)DAY, 100, 86400, 86500, -11, 0},
    {"readings far apart move it by a step only", NOW, 86400, 0, 399 * (int64_t)DAY, 86400, 864000, 0, -2000, 600},
    {"a clock set back draws it back as slowly", NOW, 1, 0, -50 * 365 * (int64_t)DAY, 100, 60, 0, -61, -59},
    {"never before the build", NOW, 10, 0, -50 * 365 * (int64_t)DAY, 100, 9000000, 0, -9000100 - 8640000, -8640000},
};

START_TEST(readings)
{
    struct hf_time_bound bound;
    uint64_t mono = 5 * S, truth = NOW;
    unsigned total = rows[_i].before_s + rows[_i].lie_s + rows[_i].after_s;

    hf_time_bound_init(&bound, 0, rows[_i].synced, mono);
    for (unsigned s = 0; s < total; s += rows[_i].step_s) {
        bool lies = s >= rows[_i].before_s && s < rows[_i].before_s + rows[_i].lie_s;
        hf_time_bound_read(&bound, mono, truth + (lies ? (uint64_t)rows[_i].ahead : 0), rows[_i].error);
        mono += rows[_i].step_s * S;
        truth += rows[_i].step_s * S;
    }
    int64_t off_s = (int64_t)(hf_time_bound_ns(&bound, mono) - truth) / (int64_t)S;
    ck_assert_msg(off_s >= rows[_i].least_s && off_s <= rows[_i].most_s, "%s: %lld s", rows[_i].name, (long long)off_s);
    ck_assert_uint_ge(hf_time_bound_ns(&bound, mono), HF_TIME_BUILD_UNIX_NS);
}
END_TEST

START_TEST(proof)
{
    struct hf_time_bound bound;

    hf_time_bound_init(&bound, NOW, 0, 0);
    ck_assert_uint_eq(hf_time_bound_ns(&bound, 0), NOW);
    ck_assert(!hf_time_bound_signed(&bound, NOW - 1));
    ck_assert(hf_time_bound_signed(&bound, NOW + DAY));
    hf_time_bound_lower(&bound, 0, NOW);
    ck_assert_uint_eq(hf_time_bound_ns(&bound, 0), NOW + DAY);
    hf_time_bound_init(&bound, 7, 7, 0);
    ck_assert_uint_eq(hf_time_bound_ns(&bound, 0), HF_TIME_BUILD_UNIX_NS);
}
END_TEST

START_TEST(two_witnesses_lower_it)
{
    struct hf_time_bound bound;

    hf_time_bound_init(&bound, NOW - DAY, NOW + 90 * DAY, 0);
    hf_time_bound_lower(&bound, 10 * S, NOW + 100 * DAY);
    ck_assert_uint_gt(hf_time_bound_ns(&bound, 10 * S), NOW + 90 * DAY);
    hf_time_bound_lower(&bound, 10 * S, NOW);
    ck_assert_uint_eq(hf_time_bound_ns(&bound, 10 * S), NOW);
    hf_time_bound_lower(&bound, 10 * S, NOW - 9 * DAY);
    ck_assert_uint_eq(hf_time_bound_ns(&bound, 10 * S), NOW - DAY);
    hf_time_bound_lower(&bound, 10 * S, 0);
    ck_assert_uint_eq(hf_time_bound_synced_ns(&bound, 10 * S), HF_TIME_BUILD_UNIX_NS);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, readings, 0, HF_LEN(rows));
    tcase_add_test(tc, proof);
    tcase_add_test(tc, two_witnesses_lower_it);
}

HF_TEST_MAIN("node/time_bound", cases)
