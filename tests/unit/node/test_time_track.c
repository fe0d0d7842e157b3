/* SPDX-License-Identifier: Apache-2.0 */
/* Leaps of a clock that nothing else confirms: what the track shows afterwards. */
#include "node/time_track.h"

#include <check.h>

#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S
#define DAY (24ull * 3600 * S)
#define NOW (1800000000ull * S)
#define SKEW (300 * S)

/* Three parts of so many seconds each; in the second one the clock is off by `off_s`. */
static const struct {
    const char *name;
    int64_t file_s; /* end of the track of an earlier process, relative to the truth; 1: none */
    unsigned before_s, lie_s, after_s;
    int64_t off_s;
    bool synced_before, synced_lie, synced_after;
    int64_t want_s; /* the track at the end, relative to the truth */
} rows[] = {
    {"an honest clock", 1, 100, 0, 0, 0, false, false, false, 0},
    {"a short leap ahead", 1, 100, 4, 0, 399 * 86400, false, false, false, 0},
    {"a short leap back", 1, 100, 4, 0, -399 * 86400, false, false, false, 0},
    {"a leap that lasts longer than the truth did", 1, 100, 3000, 0, 399 * 86400, false, false, false, 0},
    {"a lie from the start", 1, 0, 10, 3590, -399 * 86400, false, false, false, -399 * 86400},
    {"for an hour", 1, 0, 10, 3602, -399 * 86400, false, false, false, 0},
    {"an hour is enough for any change", 1, 90000, 3602, 0, 399 * 86400, false, false, false, 399 * 86400},
    {"and for the way back", 1, 90000, 90000, 3602, 399 * 86400, false, false, false, 0},
    {"small steps stay on the track", 1, 100, 4, 0, 299, false, false, false, 299},
    {"a time server comes", 1, 0, 100, 1, -40 * 86400, false, false, true, 0},
    {"a time server leaps", 1, 100, 4, 0, 399 * 86400, true, true, true, 0},
    {"not synchronized, it leaps", 1, 100, 4, 0, 399 * 86400, true, false, true, 0},
    {"after a reboot, time has passed", -86400, 1, 0, 0, 0, false, false, false, 0},
    {"after a reboot, behind the last process", 86400, 100, 0, 0, 0, false, false, false, 86400},
    {"for an hour at most", 86400, 3602, 0, 0, 0, false, false, false, 0},
    {"a time server does not change that at once", 86400, 100, 0, 0, 0, true, false, false, 86400},
};

START_TEST(leaps)
{
    struct hf_time_track track;
    uint64_t mono = 5 * S, end = rows[_i].before_s + rows[_i].lie_s + rows[_i].after_s;

    hf_time_track_init(&track, rows[_i].file_s == 1 ? 0 : NOW + (uint64_t)rows[_i].file_s * S, mono);
    for (uint64_t s = 0; s < end; s++) {
        bool before = s < rows[_i].before_s, lies = !before && s < rows[_i].before_s + rows[_i].lie_s;
        bool synced = before ? rows[_i].synced_before : lies ? rows[_i].synced_lie : rows[_i].synced_after;
        hf_time_track_read(&track, mono + s * S, NOW + s * S + (lies ? (uint64_t)rows[_i].off_s * S : 0), synced, SKEW);
    }
    int64_t got_s = (int64_t)(hf_time_track_ns(&track, mono + end * S) - NOW) / (int64_t)S - (int64_t)end;
    ck_assert_msg(got_s == rows[_i].want_s, "%s: %lld s", rows[_i].name, (long long)got_s);
}
END_TEST

START_TEST(two_witnesses_decide)
{
    struct hf_time_track track;

    hf_time_track_init(&track, NOW + 9 * DAY, 0);
    hf_time_track_set(&track, 0, NOW, true);
    ck_assert_uint_eq(hf_time_track_ns(&track, DAY), NOW + DAY);
    hf_time_track_read(&track, DAY, NOW + 9 * DAY, true, SKEW);
    ck_assert_uint_eq(hf_time_track_ns(&track, DAY), NOW + DAY);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, leaps, 0, HF_LEN(rows));
    tcase_add_test(tc, two_witnesses_decide);
}

HF_TEST_MAIN("node/time_track", cases)
