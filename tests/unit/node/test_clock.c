#include "node/clock.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "node/disk.h"
#include "support/check_main.h"

#define DAY (24ull * 3600 * HF_NS_PER_S)
#define T0 (HF_CLOCK_BUILD_UNIX_NS + 100 * DAY)
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

static const struct hf_clock_ops fake = {.mono_ns = fake_mono, .unix_ns = fake_unix};

static uint64_t now(struct hf_clock_floor *floor)
{
    return hf_unix_ns(hf_clock_floor_ops(floor));
}

static void pass(uint64_t ns)
{
    mono += ns;
    wall += ns;
}

START_TEST(follows_a_good_clock)
{
    struct hf_clock_floor floor;

    mono = 7;
    wall = T0;
    hf_clock_floor_init(&floor, &fake, T0 - DAY);
    ck_assert_uint_eq(now(&floor), T0);
    pass(DAY);
    ck_assert_uint_eq(now(&floor), T0 + DAY);
    ck_assert_uint_eq(hf_mono_ns(hf_clock_floor_ops(&floor)), mono);
}
END_TEST

/* No battery: the wall clock says 1970 after a reboot; time goes on from the floor, not from there. */
START_TEST(no_battery)
{
    struct hf_clock_floor floor;

    mono = 1;
    wall = 5 * HF_NS_PER_S;
    hf_clock_floor_init(&floor, &fake, T0);
    ck_assert_uint_eq(now(&floor), T0);
    pass(60 * HF_NS_PER_S);
    ck_assert_uint_eq(now(&floor), T0 + 60 * HF_NS_PER_S);
    wall = T0 + 3 * DAY; /* NTP */
    ck_assert_uint_eq(now(&floor), T0 + 3 * DAY);
    hf_clock_floor_init(&floor, &fake, 0); /* first boot ever */
    wall = 0;
    ck_assert_uint_eq(now(&floor), HF_CLOCK_BUILD_UNIX_NS);
}
END_TEST

START_TEST(never_goes_back)
{
    struct hf_clock_floor floor;

    mono = 1;
    wall = T0;
    hf_clock_floor_init(&floor, &fake, 0);
    (void)now(&floor);
    wall = T0 - 2 * DAY;
    ck_assert_uint_eq(now(&floor), T0);
    mono += DAY;
    ck_assert_uint_eq(now(&floor), T0 + DAY);
}
END_TEST

/* A bad time server leaps into the far future and is corrected: nothing of it stays. */
START_TEST(far_leap_is_not_believed)
{
    struct hf_clock_floor floor;

    mono = 1;
    wall = T0;
    hf_clock_floor_init(&floor, &fake, T0);
    wall = T0 + 7000 * DAY;
    ck_assert_uint_eq(now(&floor), T0 + 7000 * DAY);
    wall = T0 + 1;
    ck_assert_uint_eq(now(&floor), T0 + 1);
}
END_TEST

START_TEST(far_leap_with_a_witness)
{
    struct hf_clock_floor floor;

    mono = 1;
    wall = T0 + 1000 * DAY; /* three years in a drawer */
    hf_clock_floor_init(&floor, &fake, T0);
    hf_clock_floor_witness(&floor, wall - HF_NS_PER_S, SKEW);
    wall = 0;
    ck_assert_uint_eq(now(&floor), T0 + 1000 * DAY);
}
END_TEST

START_TEST(behind_the_server)
{
    struct hf_clock_floor floor;

    mono = 1;
    wall = T0;
    hf_clock_floor_init(&floor, &fake, T0);
    hf_clock_floor_witness(&floor, T0 + SKEW / 2, SKEW); /* within the allowance: ours counts */
    ck_assert_uint_eq(now(&floor), T0);
    hf_clock_floor_witness(&floor, T0 + 10 * DAY, SKEW);
    ck_assert_uint_eq(now(&floor), T0 + 10 * DAY - SKEW);
    hf_clock_floor_witness(&floor, T0, SKEW); /* a server that is behind changes nothing */
    ck_assert_uint_eq(now(&floor), T0 + 10 * DAY - SKEW);
}
END_TEST

START_TEST(skew_measured)
{
    struct hf_clock_skew skew = {0};

    ck_assert(!hf_clock_skew_judge(&skew, 0, T0, SKEW));
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, 0, T0), 0);
    hf_clock_skew_measure(&skew, T0, 1000);
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, 1000, T0 + HF_NS_PER_S / 2), 0);
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0, SKEW));
    ck_assert(hf_clock_skew_judge(&skew, 1000, T0 + 2 * SKEW, SKEW));
    ck_assert_int_lt(hf_clock_skew_offset_ns(&skew, 1000, T0 + 2 * SKEW), 0);
    ck_assert_msg(hf_clock_skew_judge(&skew, 1000, T0 + SKEW - SKEW / 10, SKEW), "leaves only well below the limit");
    ck_assert(!hf_clock_skew_judge(&skew, 1000, T0 + SKEW / 2, SKEW));
}
END_TEST

/* Our own clock leaps while nothing is heard from the server: the server's goes on with the time that ran. */
START_TEST(skew_after_a_leap)
{
    struct hf_clock_skew skew = {0};

    hf_clock_skew_measure(&skew, T0, 0);
    ck_assert_int_eq(hf_clock_skew_offset_ns(&skew, DAY, T0 + 9 * DAY),
                     (int64_t)(HF_NS_PER_S / 2) - (int64_t)(8 * DAY));
    ck_assert(hf_clock_skew_judge(&skew, DAY, T0 + 9 * DAY, SKEW));
}
END_TEST

START_TEST(kernel_says_something)
{
    ck_assert_int_ne(hf_clock_ntp_read(), HF_CLOCK_NTP_UNKNOWN);
}
END_TEST

static const struct {
    const char *text;
    int want_r;
    uint64_t newest_s, contact_s;
} files[] = {
    {"{\"format\":1,\"newest\":\"2027-02-09T00:00:00Z\",\"contact\":\"2027-02-08T00:00:00Z\"}", 0, 1802131200,
     1802044800},
    {"{\"format\":1,\"newest\":\"2027-02-09T00:00:00Z\"}\n", 0, 1802131200, 0},
    {"{\"format\":1}", 0, 0, 0},
    {"{\"format\":2,\"newest\":\"2027-02-09T00:00:00Z\"}", -EBADMSG, 0, 0},
    {"{\"format\":1,\"newest\":\"yesterday\"}", -EBADMSG, 0, 0},
    {"", -EBADMSG, 0, 0},
    {"[]", -EBADMSG, 0, 0},
    {"{\"format\":1", -EBADMSG, 0, 0},
};

START_TEST(file)
{
    struct hf_clock_file got = {1, 1};
    int r = hf_clock_file_parse(hf_view_of(files[_i].text), &got, NULL);

    ck_assert_msg(r == files[_i].want_r, "%s: r=%d", files[_i].text, r);
    if (r == 0) {
        ck_assert_uint_eq(got.newest_unix_ns, files[_i].newest_s * HF_NS_PER_S);
        ck_assert_uint_eq(got.contact_unix_ns, files[_i].contact_s * HF_NS_PER_S);
    } else {
        ck_assert_uint_eq(got.newest_unix_ns, 1);
    }
}
END_TEST

START_TEST(file_round_trip)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_clock_file in = {T0, T0 - DAY}, out = {0};

    ck_assert_int_eq(hf_clock_file_format(&in, &text), 0);
    ck_assert_int_eq(hf_clock_file_parse(hf_buf_view(&text), &out, NULL), 0);
    ck_assert(in.newest_unix_ns == out.newest_unix_ns && in.contact_unix_ns == out.contact_unix_ns);
}
END_TEST

/* ---- disk --------------------------------------------------------------------------------------------------------- */

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
    tcase_add_test(tc, follows_a_good_clock);
    tcase_add_test(tc, no_battery);
    tcase_add_test(tc, never_goes_back);
    tcase_add_test(tc, far_leap_is_not_believed);
    tcase_add_test(tc, far_leap_with_a_witness);
    tcase_add_test(tc, behind_the_server);
    tcase_add_test(tc, skew_measured);
    tcase_add_test(tc, skew_after_a_leap);
    tcase_add_test(tc, kernel_says_something);
    tcase_add_loop_test(tc, file, 0, HF_LEN(files));
    tcase_add_test(tc, file_round_trip);
    tcase_add_loop_test(tc, disk_use, 0, HF_LEN(uses));
    tcase_add_test(tc, disk_levels);
}

HF_TEST_MAIN("node/clock", cases)
