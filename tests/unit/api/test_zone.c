/* SPDX-License-Identifier: Apache-2.0 */
/* Compared with libc's own reading of the same files: each zone in a child of its own (Check forks), so that TZ is nobody
 * else's. */
#include "api/zone.h"

#include <errno.h>

#include "support/check_main.h"

static const char *const names[] = {
    "Europe/Berlin",       "America/New_York", "America/Sao_Paulo",
    "Australia/Lord_Howe", "Asia/Kathmandu",   "Africa/Casablanca",
    "Europe/Dublin",       "America/Nuuk",     "Asia/Gaza",
    "Pacific/Apia",        "Asia/Tehran",      "Etc/GMT+12",
    "Pacific/Kiritimati",  "Antarctica/Troll", "America/Argentina/Buenos_Aires",
    "Africa/Monrovia",     "Asia/Pyongyang",   "Europe/London",
};

START_TEST(same_as_libc)
{
    _cleanup_(hf_zone_freep) struct hf_zone *zone = NULL;
    struct hf_err err = HF_ERR_INIT;
    struct tm tm;

    ck_assert_msg(hf_zone_load(names[_i], &zone, &err) == 0, "%s: %s", names[_i], err.cause);
    ck_assert_int_eq(setenv("TZ", names[_i], 1), 0);
    tzset();
    for (time_t t = -2500000000; t < 6000000000; t += 12347 * 41) {
        ck_assert_ptr_nonnull(localtime_r(&t, &tm));
        ck_assert_msg(hf_zone_offset_s(zone, t) == tm.tm_gmtoff, "%s at %jd: %d, libc %ld", names[_i], (intmax_t)t,
                      hf_zone_offset_s(zone, t), tm.tm_gmtoff);
        time_t local = t + tm.tm_gmtoff, back = (time_t)hf_zone_unix_s(zone, local);
        ck_assert_msg(back == t || back + hf_zone_offset_s(zone, back) == local, "%s at %jd: back at %jd", names[_i],
                      (intmax_t)t, (intmax_t)back);
    }
}
END_TEST

START_TEST(calendar)
{
    ck_assert_int_eq(hf_zone_days_of_date(1970, 1, 1), 0);
    ck_assert_int_eq(hf_zone_days_of_date(2000, 2, 29), 11016);
    ck_assert_int_eq(hf_zone_days_of_date(1969, 12, 31), -1);
    ck_assert_uint_eq(hf_zone_weekday(0), 4);
    ck_assert_uint_eq(hf_zone_weekday(-1), 3);
    ck_assert_uint_eq(hf_zone_weekday(-8), 3);
    for (int64_t year = 1600; year < 2400; year++) {
        ck_assert_int_eq(hf_zone_year_of_days(hf_zone_days_of_date(year, 1, 1)), year);
        ck_assert_int_eq(hf_zone_year_of_days(hf_zone_days_of_date(year, 12, 31)), year);
    }
}
END_TEST

START_TEST(names_and_damage)
{
    static const char *const unknown[] = {"Mars/Olympus", "../passwd", "/etc/passwd", "", "Europe", "Europe/", "a//b"};
    struct hf_zone *zone = NULL;

    for (size_t i = 0; i < HF_LEN(unknown); i++)
        ck_assert_msg(hf_zone_load(unknown[i], &zone, NULL) < 0, "%s", unknown[i]);
    ck_assert_int_eq(hf_zone_load("UTC", &zone, NULL), 0);
    ck_assert_ptr_null(zone);
    ck_assert_int_eq(hf_zone_offset_s(NULL, 5), 0);
    ck_assert_int_eq(hf_zone_parse(HF_VIEW("TZif2"), &zone, NULL), -EBADMSG);
}
END_TEST

/* A version 2 file without transitions, and this rule at its end. */
static int zone_of_rule(const char *rule, struct hf_zone **ret_zone)
{
    static const char header[44] = "TZif2", one_type[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1};
    _cleanup_(hf_buf_done) struct hf_buf file = HF_BUF_INIT(1000);

    ck_assert_int_eq(hf_buf_add(&file, header, 44), 0);
    ck_assert_int_eq(hf_buf_add(&file, one_type, 44), 0);
    ck_assert_int_eq(hf_buf_add(&file, "\0\0\0\0\0\0", 6), 0);
    ck_assert_int_eq(hf_buf_addf(&file, "\n%s\n", rule), 0);
    return hf_zone_parse(hf_buf_view(&file), ret_zone, NULL);
}

static const struct {
    const char *rule;
    bool good;
    int32_t january, july; /* 2026 */
} rules[] = {
    {"", true, 0, 0},
    {"CET-1CEST,M3.5.0,M10.5.0/3", true, 3600, 7200},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true, 39600, 37800},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", true, 0, 3600},
    {"EST5EDT,J60/2,J300/2:30:15", true, -18000, -14400},
    {"EST5EDT4,59,299/-100", true, -18000, -14400},
    {"XXX3EDT4,0/0,J365/23", true, -14400, -14400},
    {"UTC0", true, 0, 0},
    {"AB0", false, 0, 0},
    {"CET", false, 0, 0},
    {"CET-1CEST", false, 0, 0},
    {"CET-1CEST,M3.5.0", false, 0, 0},
    {"CET-1CEST,M13.5.0,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.6.0,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.5.7,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.5.0,M10.5.0/168", false, 0, 0},
    {"CET-1CEST,J0,J366", false, 0, 0},
    {"CET-1CEST,M3.5.0,M10.5.0 ", false, 0, 0},
    {"<+01-1", false, 0, 0},
    {"CET-25", false, 0, 0},
};

START_TEST(rule)
{
    _cleanup_(hf_zone_freep) struct hf_zone *zone = NULL;
    int r = zone_of_rule(rules[_i].rule, &zone);

    ck_assert_msg(r == (rules[_i].good ? 0 : -EBADMSG), "%s: %d", rules[_i].rule, r);
    if (r < 0)
        return;
    ck_assert_int_eq(hf_zone_offset_s(zone, 1768435200), rules[_i].january);
    ck_assert_int_eq(hf_zone_offset_s(zone, 1784073600), rules[_i].july);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, same_as_libc, 0, (int)HF_LEN(names));
    tcase_add_test(tc, calendar);
    tcase_add_test(tc, names_and_damage);
    tcase_add_loop_test(tc, rule, 0, (int)HF_LEN(rules));
}
HF_TEST_MAIN("api/zone", cases)
