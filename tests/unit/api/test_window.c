/* SPDX-License-Identifier: Apache-2.0 */
/* Windows over clock changes. Europe/Berlin 2026: 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00. */
#include "api/edgeupdate.h"
#include "api/zone.h"
#include "base/format.h"
#include "base/parse.h"
#include "support/check_main.h"

enum { SUN = 1, MON = 2, SAT = 64, DAILY = 127 };

static const struct {
    const char *name;
    struct hf_window windows[2];
    size_t n;
    const char *at;
    bool want;
    const char *next; /* NULL: never */
} rows[] = {
    {"none: always", {{0}}, 0, "2026-11-20T08:00:00Z", true, NULL},
    {"before", {{SAT, 7200, 3600, "UTC", NULL}}, 1, "2026-11-20T08:00:00Z", false, "2026-11-21T02:00:00Z"},
    {"at the start", {{SAT, 7200, 3600, "UTC", NULL}}, 1, "2026-11-21T02:00:00Z", true, "2026-11-21T03:00:00Z"},
    {"last second", {{SAT, 7200, 3600, "UTC", NULL}}, 1, "2026-11-21T02:59:59Z", true, "2026-11-21T03:00:00Z"},
    {"at the end", {{SAT, 7200, 3600, "UTC", NULL}}, 1, "2026-11-21T03:00:00Z", false, "2026-11-28T02:00:00Z"},
    {"over midnight", {{SAT, 82800, 7200, "UTC", NULL}}, 1, "2026-11-22T00:30:00Z", true, "2026-11-22T01:00:00Z"},
    {"over midnight, the day itself is not meant",
     {{SUN, 82800, 7200, "UTC", NULL}},
     1,
     "2026-11-22T00:30:00Z",
     false,
     "2026-11-22T23:00:00Z"},
    {"joined",
     {{SAT, 82800, 3600, "UTC", NULL}, {SUN, 0, 3600, "UTC", NULL}},
     2,
     "2026-11-21T23:30:00Z",
     true,
     "2026-11-22T01:00:00Z"},
    {"overlapping",
     {{SAT, 7200, 7200, "UTC", NULL}, {SAT, 10800, 7200, "UTC", NULL}},
     2,
     "2026-11-21T02:30:00Z",
     true,
     "2026-11-21T05:00:00Z"},
    {"always, from whole days", {{DAILY, 0, 86400, "UTC", NULL}}, 1, "2026-11-21T02:30:00Z", true, NULL},
    {"a week long", {{MON, 0, 7 * 86400, "UTC", NULL}}, 1, "2026-11-22T23:59:59Z", true, NULL},
    {"winter", {{DAILY, 7200, 3600, "Europe/Berlin", NULL}}, 1, "2026-11-20T00:59:59Z", false, "2026-11-20T01:00:00Z"},
    {"summer", {{DAILY, 7200, 3600, "Europe/Berlin", NULL}}, 1, "2026-07-20T00:30:00Z", true, "2026-07-20T01:00:00Z"},
    {"spring: 02:30 does not exist, 03:30 it is",
     {{SUN, 9000, 3600, "Europe/Berlin", NULL}},
     1,
     "2026-03-29T01:29:59Z",
     false,
     "2026-03-29T01:30:00Z"},
    {"spring: as long as ever",
     {{SUN, 9000, 3600, "Europe/Berlin", NULL}},
     1,
     "2026-03-29T02:29:59Z",
     true,
     "2026-03-29T02:30:00Z"},
    {"spring: over the jump",
     {{SUN, 3600, 7200, "Europe/Berlin", NULL}},
     1,
     "2026-03-29T01:30:00Z",
     true,
     "2026-03-29T02:00:00Z"},
    {"autumn: 02:30 comes twice, the first counts",
     {{SUN, 9000, 1800, "Europe/Berlin", NULL}},
     1,
     "2026-10-25T00:30:00Z",
     true,
     "2026-10-25T01:00:00Z"},
    {"autumn: not again",
     {{SUN, 9000, 1800, "Europe/Berlin", NULL}},
     1,
     "2026-10-25T01:30:00Z",
     false,
     "2026-11-01T01:30:00Z"},
    {"south, summer in January",
     {{DAILY, 7200, 3600, "Australia/Sydney", NULL}},
     1,
     "2026-01-14T15:30:00Z",
     true,
     "2026-01-14T16:00:00Z"},
    {"half hours",
     {{DAILY, 7200, 3600, "Asia/Kolkata", NULL}},
     1,
     "2026-01-14T20:29:59Z",
     false,
     "2026-01-14T20:30:00Z"},
    {"local day differs",
     {{MON, 3600, 3600, "Pacific/Auckland", NULL}},
     1,
     "2026-07-19T13:30:00Z",
     true,
     "2026-07-19T14:00:00Z"},
    {"far away, by the rule",
     {{DAILY, 7200, 3600, "Europe/Berlin", NULL}},
     1,
     "2099-07-20T00:30:00Z",
     true,
     "2099-07-20T01:00:00Z"},
};

START_TEST(opens)
{
    struct hf_window windows[2];
    uint64_t at, next = 0, want_next = HF_NEVER;
    char told[HF_TIME_TEXT];

    memcpy(windows, rows[_i].windows, sizeof(windows));
    for (size_t i = 0; i < rows[_i].n; i++) {
        windows[i].duration_ns *= HF_NS_PER_S;
        ck_assert_int_eq(hf_zone_load(windows[i].time_zone, &windows[i].zone, NULL), 0);
    }
    ck_assert_int_eq(hf_parse_time(rows[_i].at, &at), 0);
    if (rows[_i].next != NULL)
        ck_assert_int_eq(hf_parse_time(rows[_i].next, &want_next), 0);
    bool open = hf_windows_open(windows, rows[_i].n, at, &next);
    ck_assert_msg(open == rows[_i].want, "%s: %s", rows[_i].name, open ? "open" : "closed");
    ck_assert_msg(next == want_next, "%s: next is %s", rows[_i].name,
                  next == HF_NEVER ? "never" : hf_format_time(next, told));
    for (size_t i = 0; i < rows[_i].n; i++)
        hf_zone_free(windows[i].zone);
}
END_TEST

/* The answer changes at `next` and not before: looked at minute by minute, over both clock changes. */
START_TEST(next_is_true)
{
    struct hf_window windows[] = {{SUN | MON, 8100, 5400 * HF_NS_PER_S, "Europe/Berlin", NULL},
                                  {SAT, 84600, 10800 * HF_NS_PER_S, "America/New_York", NULL}};
    static const char *const starts[] = {"2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-12-30T00:00:00Z"};

    for (size_t i = 0; i < HF_LEN(windows); i++)
        ck_assert_int_eq(hf_zone_load(windows[i].time_zone, &windows[i].zone, NULL), 0);
    for (size_t k = 0; k < HF_LEN(starts); k++) {
        uint64_t t, next, promised = 0;
        ck_assert_int_eq(hf_parse_time(starts[k], &t), 0);
        bool was = hf_windows_open(windows, 2, t, &promised);
        for (unsigned minute = 0; minute < 9 * 1440; minute++, t += 60 * HF_NS_PER_S) {
            bool open = hf_windows_open(windows, 2, t, &next);
            ck_assert_msg((open != was) == (t >= promised), "%s + %u min", starts[k], minute);
            was = open;
            promised = next;
        }
    }
    for (size_t i = 0; i < HF_LEN(windows); i++)
        hf_zone_free(windows[i].zone);
}
END_TEST

/* ---- with the error of the clock ------------------------------------------------------------------------------------ */

#define HOUR_NS (3600 * HF_NS_PER_S)
#define MIDNIGHT_NS (20000 * 24 * HOUR_NS)

/* Each day from 02:00 to 05:00, and from 12:00 to 14:00 by two windows that touch. */
static const struct hf_window spans[] = {{DAILY, 2 * 3600, 3 * HOUR_NS, "UTC", NULL},
                                         {DAILY, 12 * 3600, HOUR_NS, "UTC", NULL},
                                         {DAILY, 13 * 3600, HOUR_NS, "UTC", NULL}};

static const struct {
    const char *name;
    size_t n;
    enum hf_time_agreement agreement;
    int estimate_s, other_s, error_s; /* seconds after midnight; other_s 0: the estimate */
    enum hf_time_answer want;
    int want_wait_s; /* -1: never */
} judged[] = {
    {"no windows", 0, HF_TIME_UNKNOWN, 0, 0, 0, HF_TIME_YES, -1},
    {"unknown", 3, HF_TIME_UNKNOWN, 3 * 3600, 0, 0, HF_TIME_UNSURE, -1},
    {"no error, inside", 3, HF_TIME_AGREED, 3 * 3600, 0, 0, HF_TIME_YES, 7200},
    {"no error, at the start", 3, HF_TIME_AGREED, 7200, 0, 0, HF_TIME_YES, 10800},
    {"no error, at the end", 3, HF_TIME_AGREED, 5 * 3600, 0, 0, HF_TIME_NO, 7 * 3600},
    {"no error, just before", 3, HF_TIME_AGREED, 7199, 0, 0, HF_TIME_NO, 1},
    {"2 s, just before", 3, HF_TIME_AGREED, 7199, 0, 2, HF_TIME_NO, 3},
    {"2 s, half inside", 3, HF_TIME_AGREED, 7200, 0, 2, HF_TIME_NO, 2},
    {"2 s, just inside", 3, HF_TIME_AGREED, 7202, 0, 2, HF_TIME_YES, 10796},
    {"2 s, still inside", 3, HF_TIME_AGREED, 5 * 3600 - 3, 0, 2, HF_TIME_YES, 1},
    {"2 s, at the end", 3, HF_TIME_AGREED, 5 * 3600 - 2, 0, 2, HF_TIME_NO, 4},
    {"60 s, at the start", 3, HF_TIME_AGREED, 7200, 0, 60, HF_TIME_NO, 60},
    {"61 s, at the start", 3, HF_TIME_AGREED, 7200, 0, 61, HF_TIME_UNSURE, 61},
    {"5 minutes, before", 3, HF_TIME_ALONE, 6899, 0, 300, HF_TIME_NO, 1},
    {"5 minutes, at the start", 3, HF_TIME_ALONE, 6900, 0, 300, HF_TIME_UNSURE, 600},
    {"5 minutes, inside", 3, HF_TIME_ALONE, 7500, 0, 300, HF_TIME_YES, 10200},
    {"longer than the window", 3, HF_TIME_ALONE, 3 * 3600 + 1800, 0, 5401, HF_TIME_UNSURE, 1},
    {"longer than the gap", 3, HF_TIME_ALONE, 8 * 3600 + 1800, 0, 5 * 3600, HF_TIME_UNSURE, 5400},
    {"windows that touch are one", 3, HF_TIME_ALONE, 13 * 3600, 0, 3000, HF_TIME_YES, 600},
    {"witnesses differ, one inside", 3, HF_TIME_CONTRADICTED, 3 * 3600, 8 * 3600, 0, HF_TIME_UNSURE, 7200},
    {"witnesses differ, both inside", 3, HF_TIME_CONTRADICTED, 3 * 3600, 4 * 3600, 300, HF_TIME_YES, 3300},
    {"witnesses differ, inside of two windows", 3, HF_TIME_CONTRADICTED, 13 * 3600, 3 * 3600, 0, HF_TIME_UNSURE, 7200},
    {"witnesses differ, both outside", 3, HF_TIME_CONTRADICTED, 8 * 3600, 6 * 3600, 300, HF_TIME_NO, 14100},
};

START_TEST(judges_the_whole_span)
{
    uint64_t estimate = MIDNIGHT_NS + (unsigned)judged[_i].estimate_s * HF_NS_PER_S, wait = 0;
    uint64_t other = judged[_i].other_s == 0 ? estimate : MIDNIGHT_NS + (unsigned)judged[_i].other_s * HF_NS_PER_S;
    const struct hf_time_range range = {.agreement = judged[_i].agreement,
                                        .estimate_unix_ns = estimate,
                                        .other_unix_ns = other,
                                        .error_ns = (unsigned)judged[_i].error_s * HF_NS_PER_S};
    enum hf_time_answer got = hf_windows_judge(spans, judged[_i].n, &range, &wait);

    ck_assert_msg(got == judged[_i].want, "%s: %d", judged[_i].name, got);
    ck_assert_msg(wait == (judged[_i].want_wait_s < 0 ? HF_NEVER : (unsigned)judged[_i].want_wait_s * HF_NS_PER_S),
                  "%s: waits %ju ns", judged[_i].name, (uintmax_t)wait);
}
END_TEST

/* A clock with an error of seconds loses at most this error at each edge of a window, and never says ClockUnsure. */
START_TEST(a_decent_clock_is_not_hurt)
{
    const uint64_t error = 2 * HF_NS_PER_S;

    for (uint64_t t = MIDNIGHT_NS; t < MIDNIGHT_NS + 24 * HOUR_NS; t += HF_NS_PER_S) {
        const struct hf_time_range range = {
            .agreement = HF_TIME_AGREED, .estimate_unix_ns = t, .other_unix_ns = t, .error_ns = error};
        uint64_t wait;
        enum hf_time_answer got = hf_windows_judge(spans, HF_LEN(spans), &range, &wait);
        bool open = hf_windows_open(spans, HF_LEN(spans), t, NULL);
        bool near = hf_windows_open(spans, HF_LEN(spans), t - error, NULL) != open ||
                    hf_windows_open(spans, HF_LEN(spans), t + error, NULL) != open;
        ck_assert(got != HF_TIME_UNSURE && wait > 0);
        ck_assert(near || (got == HF_TIME_YES) == open);
        ck_assert(got != HF_TIME_YES || open);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, opens, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, next_is_true);
    tcase_add_loop_test(tc, judges_the_whole_span, 0, (int)HF_LEN(judged));
    tcase_add_test(tc, a_decent_clock_is_not_hurt);
}
HF_TEST_MAIN("api/window", cases)
