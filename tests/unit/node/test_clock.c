/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/clock_skew.h"
#include "node/disk.h"
#include "support/check_main.h"

#define DAY (24ull * 3600 * HF_NS_PER_S)
#define T0 (HF_TIME_BUILD_UNIX_NS + 100 * DAY)
#define SKEW (300 * HF_NS_PER_S)

static uint64_t mono, wall;

static uint64_t fake_mono(void *ctx)
{
    (void)ctx;
    return mono;
}

static uint64_t fake_unix(void *ctx)
{
    (void)ctx;
    return wall;
}

static uint64_t sync_error = HF_NEVER;

static uint64_t fake_sync_error(void *ctx)
{
    (void)ctx;
    return sync_error;
}

static const struct hf_clock_ops fake = {.mono_ns = fake_mono, .unix_ns = fake_unix, .sync_error_ns = fake_sync_error};
static const struct hf_clock_file nothing;

static uint64_t now(struct hf_clock *clock)
{
    return hf_unix_ns(hf_clock_ops_of(clock));
}

static struct hf_time_range range_of(struct hf_clock *clock)
{
    return hf_clock_range(hf_clock_ops_of(clock));
}

static void begin(struct hf_clock *clock, uint64_t wall_unix_ns, const struct hf_clock_file *kept)
{
    mono = 7;
    wall = wall_unix_ns;
    sync_error = HF_NEVER;
    hf_clock_init(clock, &fake, kept);
}

static void pass(uint64_t ns)
{
    mono += ns;
    wall += ns;
}

/* Reads the clock every second for so long, as an agent does. */
static void run(struct hf_clock *clock, uint64_t ns)
{
    for (uint64_t i = 0; i < ns / HF_NS_PER_S; i++) {
        pass(HF_NS_PER_S);
        (void)now(clock);
    }
}

START_TEST(follows_the_wall_clock)
{
    struct hf_clock clock;

    begin(&clock, T0, &nothing);
    ck_assert_uint_eq(now(&clock), T0);
    pass(DAY);
    ck_assert_uint_eq(now(&clock), T0 + DAY);
    ck_assert_uint_eq(hf_mono_ns(hf_clock_ops_of(&clock)), mono);
    ck_assert_uint_eq(hf_clock_sync_error_ns(hf_clock_ops_of(&clock)), HF_NEVER);
    ck_assert(!hf_clock_synchronized(&clock));
}
END_TEST

/* No battery: the wall clock shows 1970 after a reboot; the guess continues from the file, the range has no end. */
START_TEST(no_battery)
{
    const struct hf_clock_file kept = {.track_unix_ns = T0};
    struct hf_clock clock;

    begin(&clock, 5 * HF_NS_PER_S, &kept);
    ck_assert_uint_eq(now(&clock), T0);
    pass(60 * HF_NS_PER_S);
    ck_assert_uint_eq(now(&clock), T0 + 60 * HF_NS_PER_S);
    ck_assert_uint_eq(range_of(&clock).latest_unix_ns, HF_NEVER);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_UNKNOWN);
    hf_clock_take_date(&clock, T0 + 3 * DAY, 0);
    ck_assert_uint_eq(now(&clock), T0 + 3 * DAY);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_ALONE);
    begin(&clock, 0, &nothing); /* first boot ever */
    ck_assert_uint_ge(now(&clock), HF_TIME_BUILD_UNIX_NS);
    ck_assert_uint_le(now(&clock), HF_TIME_BUILD_UNIX_NS + HF_NS_PER_S);
}
END_TEST

/* The time server is wrong for hours, and the API server answers each minute with the right Date: the lie never becomes
 * the time, and nothing is sure. */
START_TEST(a_lasting_lie_convinces_nobody)
{
    const int64_t leaps[] = {399 * (int64_t)DAY, -12 * (int64_t)DAY};
    const struct hf_clock_file kept = {.synced_unix_ns = T0 + 20 * DAY};
    struct hf_clock clock;

    begin(&clock, T0 + 20 * DAY, &kept);
    sync_error = 0;
    hf_clock_take_date(&clock, wall, 0);
    run(&clock, 10 * HF_NS_PER_S);
    ck_assert(hf_clock_is_sure(&clock));
    wall += (uint64_t)leaps[_i];
    for (int minute = 0; minute < 300; minute++) {
        hf_clock_take_date(&clock, wall - (uint64_t)leaps[_i], 2 * HF_NS_PER_S);
        run(&clock, 60 * HF_NS_PER_S);
        ck_assert_msg(!hf_clock_is_sure(&clock), "minute %d", minute);
        /* A wall clock that went back contradicts what the node knows. */
        ck_assert_int_eq(range_of(&clock).agreement, _i == 0 ? HF_TIME_CONTRADICTED : HF_TIME_ALONE);
        ck_assert_uint_le(HF_DISTANCE(now(&clock), wall - (uint64_t)leaps[_i]), 60 * HF_NS_PER_S);
    }
    wall -= (uint64_t)leaps[_i];
    hf_clock_take_date(&clock, wall, 2 * HF_NS_PER_S);
    ck_assert(hf_clock_is_sure(&clock));
}
END_TEST

/* A wall clock that is 399 days ahead for 4 s, and a Date that is 30 years ahead for as long: nothing of either stays.
 */
START_TEST(lies_leave_no_trace)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};

    begin(&clock, T0, &nothing);
    sync_error = 0;
    hf_clock_take_date(&clock, T0, 0);
    run(&clock, 10 * HF_NS_PER_S);
    wall += 399 * DAY;
    run(&clock, 4 * HF_NS_PER_S);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_CONTRADICTED);
    wall -= 399 * DAY;
    hf_clock_take_date(&clock, wall + 30 * 365 * DAY, 0);
    run(&clock, 4 * HF_NS_PER_S);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_CONTRADICTED);
    ck_assert_uint_eq(now(&clock), wall);
    ck_assert_int_eq(hf_time_has_come(&(struct hf_time_range[]){range_of(&clock)}[0], T0 + 90 * DAY), HF_TIME_UNSURE);
    hf_clock_take_date(&clock, wall, 0);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_AGREED);
    ck_assert_uint_le(range_of(&clock).latest_unix_ns, wall + 2 * HF_NS_PER_S);
    hf_clock_keep(&clock, &file);
    ck_assert_uint_le(HF_MAX(HF_MAX(file.synced_unix_ns, file.agreed_unix_ns), file.track_unix_ns), wall);
    ck_assert_uint_eq(file.signed_unix_ns, 0);
}
END_TEST

/* Both witnesses lie alike for an hour: the next honest Date heals the clock, the file, and a process after it. */
START_TEST(agreed_lies_end)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};

    begin(&clock, T0 + 50 * 365 * DAY, &nothing);
    sync_error = 0;
    hf_clock_take_date(&clock, wall, 0);
    run(&clock, 3600 * HF_NS_PER_S);
    hf_clock_keep(&clock, &file);
    ck_assert_uint_gt(file.agreed_unix_ns, T0 + 49 * 365 * DAY);
    begin(&clock, T0, &file);
    ck_assert_uint_le(range_of(&clock).earliest_unix_ns, T0);
    ck_assert_int_ge(hf_time_distance_s(&(struct hf_time_range[]){range_of(&clock)}[0], 0, (int64_t)(T0 / HF_NS_PER_S)),
                     0);
    hf_clock_take_date(&clock, T0, 0);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_AGREED);
    ck_assert_uint_eq(now(&clock), T0);
    hf_clock_keep(&clock, &file);
    ck_assert_uint_le(HF_MAX(file.agreed_unix_ns, file.synced_unix_ns), T0);
}
END_TEST

/* A signed time raises the bound and comes back from the file, but two witnesses that agree outweigh a wrong signer. */
START_TEST(signed_evidence)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};

    begin(&clock, 5 * HF_NS_PER_S, &nothing);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 - DAY);
    ck_assert(clock.bound_rose);
    ck_assert_uint_eq(range_of(&clock).earliest_unix_ns, T0 - DAY);
    hf_clock_keep(&clock, &file);
    ck_assert(!clock.bound_rose);
    ck_assert_uint_eq(file.signed_unix_ns, T0 - DAY);
    begin(&clock, 5 * HF_NS_PER_S, &file);
    ck_assert_uint_eq(range_of(&clock).earliest_unix_ns, T0 - DAY);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 - 2 * DAY);
    ck_assert(!clock.bound_rose);
    wall = T0;
    hf_clock_take_date(&clock, T0, 0);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 + 365 * DAY);
    ck_assert(!clock.bound_rose);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_AGREED);
}
END_TEST

/* A signer whose clock is a year ahead, on a node that no time server keeps: releases wait, and nothing is lost. The
 * first contact whose Date agrees with the wall clock ends it, also after a restart. The release that the signer signs
 * with a right clock then counts as proof. */
START_TEST(signer_from_the_future)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};
    struct hf_time_range range;

    begin(&clock, T0, &nothing);
    for (int i = 0; i < 3; i++) { /* each review of the release tells it again */
        hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 + 365 * DAY);
        pass(HF_NS_PER_S);
    }
    range = range_of(&clock);
    ck_assert_int_ne(range.agreement, HF_TIME_AGREED);
    ck_assert_msg(range.earliest_unix_ns <= wall && range.latest_unix_ns >= T0 + 365 * DAY, "TLS and expiry: unsure");
    hf_clock_keep(&clock, &file);
    if (_i == 1)
        begin(&clock, wall, &file);
    hf_clock_take_date(&clock, wall, 0);
    range = range_of(&clock);
    ck_assert_int_eq(range.agreement, HF_TIME_AGREED);
    ck_assert_uint_eq(now(&clock), wall);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 + 365 * DAY); /* again: outweighed */
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0 - DAY);
    hf_clock_keep(&clock, &file);
    ck_assert_uint_eq(file.signed_unix_ns, T0 - DAY);
    ck_assert_uint_le(file.synced_unix_ns, wall + 2 * HF_NS_PER_S); /* the error of a Date */
}
END_TEST

/* A board whose wall clock is behind: what is signed holds the bound, until two witnesses agree. */
START_TEST(signed_while_the_clock_is_behind)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};

    begin(&clock, T0 - 90 * DAY, &nothing);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0);
    ck_assert(clock.bound_rose);
    hf_clock_keep(&clock, &file);
    begin(&clock, T0 - 90 * DAY, &file);
    ck_assert_uint_ge(now(&clock), T0);
    hf_clock_take_date(&clock, T0 + DAY, 0); /* the server alone: believed, because the wall clock is too early */
    ck_assert_uint_ge(now(&clock), T0 + DAY);
    hf_clock_signed_evidence(hf_clock_ops_of(&clock), T0); /* not later than what a witness shows: proof */
    hf_clock_keep(&clock, &file);
    ck_assert_uint_eq(file.signed_unix_ns, T0);
}
END_TEST

/* More than the word of one clock. */
START_TEST(sure)
{
    struct hf_clock clock;

    begin(&clock, T0, &nothing);
    ck_assert(!hf_clock_is_sure(&clock));
    hf_clock_take_date(&clock, T0, HF_NS_PER_S);
    ck_assert(hf_clock_is_sure(&clock));
    wall += DAY; /* nothing confirms the leap */
    ck_assert(!hf_clock_is_sure(&clock));
    begin(&clock, T0, &nothing);
    sync_error = HF_NS_PER_MS;
    ck_assert(hf_clock_is_sure(&clock));
    begin(&clock, 0, &nothing);
    sync_error = HF_NS_PER_MS; /* a time server that says 1970 */
    hf_clock_take_date(&clock, T0, HF_NS_PER_S);
    ck_assert(!hf_clock_is_sure(&clock));
}
END_TEST

/* An agreement of two witnesses counts for a day. After that, a wall clock that stays wrong is a witness of its own
 * again, and the node accepts the server's certificate and its Date. */
START_TEST(agreement_ages)
{
    struct hf_clock clock;

    begin(&clock, T0 + 50 * 365 * DAY, &nothing);
    hf_clock_take_date(&clock, wall, 0);
    ck_assert_uint_ge(range_of(&clock).earliest_unix_ns, T0 + 49 * 365 * DAY);
    pass(HF_CLOCK_FRESH_NS);
    (void)now(&clock);
    pass(HF_CLOCK_FRESH_NS);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_ALONE);
    ck_assert_uint_le(range_of(&clock).earliest_unix_ns, T0);
}
END_TEST

/* The same with an agent that restarts every 20 hours: the Date is fresh to the end of the first process, and then the
 * other processes together let the agreement count for a day. */
START_TEST(agreement_ages_over_restarts)
{
    struct hf_clock clock;
    struct hf_clock_file file = {0};

    begin(&clock, T0 + 50 * 365 * DAY, &nothing);
    hf_clock_take_date(&clock, wall, 0);
    (void)now(&clock);
    for (int i = 0; i < 4; i++) {
        run(&clock, 60 * HF_NS_PER_S);
        ck_assert_int_eq(range_of(&clock).earliest_unix_ns > T0 + DAY, i < 3);
        pass(20 * 3600 * HF_NS_PER_S);
        hf_clock_keep(&clock, &file);
        begin(&clock, wall, &file);
    }
    ck_assert_uint_eq(file.agreed_unix_ns, 0);
    ck_assert_int_eq(range_of(&clock).agreement, HF_TIME_ALONE);
    ck_assert_uint_le(range_of(&clock).earliest_unix_ns, T0 + DAY);
}
END_TEST

static const struct {
    const char *name, *boot;
    uint64_t saved_h, init_h; /* monotonic times of the save and of the next process, in hours */
    bool counts;
} ages[] = {
    {"at once", "8c4a-1", 10, 10, true},
    {"3 hours later", "8c4a-1", 10, 13, true},
    {"4 hours later, as after a kill", "8c4a-1", 10, 14, false},
    {"after a reboot", "8c4a-1", 10, 3, true},
    {"long after a reboot", "8c4a-1", 10, 4, false},
    {"in an unknown boot", "", 0, 14, true},
};

/* An agreement is 20 hours old when it is saved. What the monotonic clock shows until the next process counts, too. */
START_TEST(agreement_ages_between_processes)
{
    const uint64_t hour = 3600 * HF_NS_PER_S;
    struct hf_clock_file file = {
        .agreed_unix_ns = T0, .agreed_age_ns = 20 * hour, .saved_mono_ns = ages[_i].saved_h * hour};
    struct hf_clock clock;

    (void)snprintf(file.boot, sizeof(file.boot), "%s", ages[_i].boot);
    begin(&clock, T0, &nothing);
    mono = ages[_i].init_h * hour;
    hf_clock_init(&clock, &fake, &file);
    ck_assert_msg((range_of(&clock).earliest_unix_ns == T0) == ages[_i].counts, "%s", ages[_i].name);
}
END_TEST

START_TEST(skew_measured)
{
    struct hf_clock_skew skew = {0};

    ck_assert(!hf_clock_skew_judge(&skew, 0, T0, SKEW));
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, 0, T0), 0);
    hf_clock_skew_measure(&skew, T0, 1000, 0);
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, 1000, T0 + HF_NS_PER_S / 2), 0);
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0, SKEW));
    ck_assert(hf_clock_skew_judge(&skew, 1000, T0 + 2 * SKEW, SKEW));
    ck_assert_int_lt(hf_clock_skew_offset_ns(&skew, 1000, T0 + 2 * SKEW), 0);
    ck_assert_msg(hf_clock_skew_judge(&skew, 1000, T0 + SKEW - SKEW / 10, SKEW), "leaves only well below the limit");
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0 + SKEW / 2, SKEW));
    /* A Date that was on its way for up to a minute proves less in one direction. */
    hf_clock_skew_measure(&skew, T0, 1000, 60 * HF_NS_PER_S);
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0 + SKEW + 50 * HF_NS_PER_S, SKEW));
    ck_assert(hf_clock_skew_judge(&skew, 1000, T0 + SKEW + 70 * HF_NS_PER_S, SKEW));
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0, SKEW));
    ck_assert(hf_clock_skew_judge(&skew, 1000, T0 - SKEW - 10 * HF_NS_PER_S, SKEW));
}
END_TEST

/* Our own clock leaps while nothing is heard from the server: the server's goes on with the time that ran. */
START_TEST(skew_after_a_leap)
{
    struct hf_clock_skew skew = {0};

    hf_clock_skew_measure(&skew, T0, 0, 0);
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, DAY, T0 + 9 * DAY),
                     (int64_t)(HF_NS_PER_S / 2) - (int64_t)(8 * DAY));
    ck_assert(hf_clock_skew_judge(&skew, DAY, T0 + 9 * DAY, SKEW));
}
END_TEST

static const struct {
    const char *text;
    int want_r;
    uint64_t signed_s, synced_s, agreed_s, track_s, contact_s;
} files[] = {
    {"{\"signedUnixNs\":1802131200000000000,\"contactUnixNs\":1802044800000000000}", 0, 1802131200, 0, 0, 0,
     1802044800},
    {"{\"syncedUnixNs\":1802131200000000000,\"agreedUnixNs\":1802044800000000000}", 0, 0, 1802131200, 1802044800, 0, 0},
    {"{\"trackUnixNs\":1802131200000000000,\"newest\":\"2099-01-01T00:00:00Z\"}", 0, 0, 0, 0, 1802131200, 0},
    {"{}", 0, 0, 0, 0, 0, 0},
    {"{\"signedUnixNs\":\"yesterday\"}", -EBADMSG, 0, 0, 0, 0, 0},
    {"", -EBADMSG, 0, 0, 0, 0, 0},
    {"[]", -EBADMSG, 0, 0, 0, 0, 0},
    {"{", -EBADMSG, 0, 0, 0, 0, 0},
};

START_TEST(file)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_clock_file got = {.signed_unix_ns = 1};

    ck_assert_int_eq(hf_seal_format("clock", 3, hf_view_of(files[_i].text), &text), 0);
    int r = hf_clock_file_parse(hf_buf_view(&text), &got, NULL);

    ck_assert_msg(r == files[_i].want_r, "%s: r=%d", files[_i].text, r);
    if (r < 0) {
        ck_assert_uint_eq(got.signed_unix_ns, 1);
        return;
    }
    ck_assert_uint_eq(got.signed_unix_ns, files[_i].signed_s * HF_NS_PER_S);
    ck_assert_uint_eq(got.synced_unix_ns, files[_i].synced_s * HF_NS_PER_S);
    ck_assert_uint_eq(got.agreed_unix_ns, files[_i].agreed_s * HF_NS_PER_S);
    ck_assert_uint_eq(got.track_unix_ns, files[_i].track_s * HF_NS_PER_S);
    ck_assert_uint_eq(got.contact_unix_ns, files[_i].contact_s * HF_NS_PER_S);
}
END_TEST

START_TEST(file_round_trip)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_clock_file in = {.signed_unix_ns = T0,
                               .synced_unix_ns = T0 + DAY,
                               .agreed_unix_ns = T0 + 2 * DAY,
                               .track_unix_ns = T0 + 3 * DAY,
                               .contact_unix_ns = T0 - DAY};
    struct hf_clock_file out = {0};

    ck_assert_int_eq(hf_clock_file_format(&in, &text), 0);
    ck_assert_int_eq(hf_clock_file_parse(hf_buf_view(&text), &out, NULL), 0);
    ck_assert(memcmp(&in, &out, sizeof(in)) == 0);
}
END_TEST

/* ---- disk -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct statvfs st;
    unsigned want;
} uses[] = {
    {"unknown", {.f_blocks = 0}, 0},
    {"empty", {.f_blocks = 100, .f_bfree = 100, .f_bavail = 95}, 0},
    {"half", {.f_blocks = 100, .f_bfree = 50, .f_bavail = 50}, 50},
    {"root's reserve is full for others", {.f_blocks = 100, .f_bfree = 5, .f_bavail = 0}, 100},
    {"rounded up", {.f_blocks = 1000, .f_bfree = 999, .f_bavail = 999}, 1},
    {"inodes", {.f_blocks = 100, .f_bfree = 90, .f_bavail = 90, .f_files = 10, .f_ffree = 1, .f_favail = 1}, 90},
    {"exabytes", {.f_blocks = UINT64_MAX / 2, .f_bfree = UINT64_MAX / 4, .f_bavail = UINT64_MAX / 4}, 51},
};

START_TEST(disk_use)
{
    unsigned got = hf_disk_used_percent(&uses[_i].st);

    ck_assert_msg(got == uses[_i].want, "%s: %u", uses[_i].name, got);
}
END_TEST

START_TEST(disk_levels)
{
    static const struct {
        unsigned used;
        enum hf_disk_level before, want;
    } steps[] = {
        {69, HF_DISK_OK, HF_DISK_OK},
        {70, HF_DISK_OK, HF_DISK_WARNING},
        {69, HF_DISK_WARNING, HF_DISK_WARNING},
        {68, HF_DISK_WARNING, HF_DISK_WARNING},
        {67, HF_DISK_WARNING, HF_DISK_OK},
        {85, HF_DISK_OK, HF_DISK_CRITICAL},
        {84, HF_DISK_CRITICAL, HF_DISK_CRITICAL},
        {82, HF_DISK_CRITICAL, HF_DISK_WARNING},
        {10, HF_DISK_CRITICAL, HF_DISK_OK},
        {84, HF_DISK_WARNING, HF_DISK_WARNING},
    };

    for (size_t i = 0; i < HF_LEN(steps); i++)
        ck_assert_msg(hf_disk_judge(steps[i].used, 70, 85, steps[i].before) == steps[i].want, "%u after %s",
                      steps[i].used, hf_disk_level_name(steps[i].before));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, follows_the_wall_clock);
    tcase_add_test(tc, no_battery);
    tcase_add_loop_test(tc, a_lasting_lie_convinces_nobody, 0, 2);
    tcase_add_test(tc, lies_leave_no_trace);
    tcase_add_test(tc, agreed_lies_end);
    tcase_add_test(tc, signed_evidence);
    tcase_add_loop_test(tc, signer_from_the_future, 0, 2);
    tcase_add_test(tc, signed_while_the_clock_is_behind);
    tcase_add_test(tc, sure);
    tcase_add_test(tc, agreement_ages);
    tcase_add_test(tc, agreement_ages_over_restarts);
    tcase_add_loop_test(tc, agreement_ages_between_processes, 0, HF_LEN(ages));
    tcase_add_test(tc, skew_measured);
    tcase_add_test(tc, skew_after_a_leap);
    tcase_add_loop_test(tc, file, 0, HF_LEN(files));
    tcase_add_test(tc, file_round_trip);
    tcase_add_loop_test(tc, disk_use, 0, HF_LEN(uses));
    tcase_add_test(tc, disk_levels);
}

HF_TEST_MAIN("node/clock", cases)
