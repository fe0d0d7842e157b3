/* SPDX-License-Identifier: Apache-2.0 */
/* The clock file: what is saved is read again, also from files of earlier versions; what is damaged is refused. */
#include "node/clock_file.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"

#define BOOT "8c4a1d2e-0000-4000-8000-0123456789ab"

static int parse(const char *text, struct hf_clock_file *file)
{
    return hf_clock_file_parse(hf_view_of(text), file, NULL);
}

START_TEST(round_trip)
{
    struct hf_clock_file file = {.signed_unix_ns = 1800000000 * HF_NS_PER_S,
                                 .synced_unix_ns = 1800000001 * HF_NS_PER_S,
                                 .agreed_unix_ns = 1800000002 * HF_NS_PER_S,
                                 .track_unix_ns = 1800000003 * HF_NS_PER_S,
                                 .contact_unix_ns = 1800000004 * HF_NS_PER_S,
                                 .contact_age_ns = 7200 * HF_NS_PER_S,
                                 .contact_limit_ns = 10860 * HF_NS_PER_S,
                                 .boot = BOOT,
                                 .saved_mono_ns = 10800 * HF_NS_PER_S,
                                 .contact_mono_ns = 3600 * HF_NS_PER_S,
                                 .hold_id = 0x00c0ffee00c0ffee,
                                 .hold_age_ns = 1800 * HF_NS_PER_S,
                                 .hold_began_unix_ns = 1800000005 * HF_NS_PER_S,
                                 .agreed_age_ns = 900 * HF_NS_PER_S};
    struct hf_clock_file again = {0};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    ck_assert_int_eq(parse(hf_buf_str(&text), &again), 0);
    ck_assert_int_eq(memcmp(&file, &again, sizeof(file)), 0);
}
END_TEST

/* Ages round up and times of the monotonic clock round down: what is read is never younger than what was saved. */
START_TEST(rounding)
{
    struct hf_clock_file file = {.agreed_age_ns = 1,
                                 .contact_age_ns = 1500 * HF_NS_PER_MS,
                                 .contact_limit_ns = 2001 * HF_NS_PER_MS,
                                 .boot = BOOT,
                                 .saved_mono_ns = 7999 * HF_NS_PER_MS,
                                 .contact_mono_ns = 6499 * HF_NS_PER_MS};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    ck_assert_str_eq(
        hf_buf_str(&text),
        "{\"format\":2,\"agreedAgeSeconds\":1,\"contactAgeSeconds\":2,\"contactLimitSeconds\":3,\"boot\":\"" BOOT
        "\",\"savedBootSeconds\":7,\"contactBootSeconds\":6}\n");
}
END_TEST

/* The longest file has room. */
START_TEST(room_for_all)
{
    const uint64_t last = UINT64_MAX, long_ = UINT64_MAX / 4;
    struct hf_clock_file file = {last,       last,  last,  last,       last,  long_, long_,
                                 BOOT "012", long_, long_, UINT64_MAX, long_, last,  long_};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    ck_assert_uint_lt(text.n, HF_CLOCK_FILE_MAX - 32);
}
END_TEST

START_TEST(absent_keys)
{
    struct hf_clock_file file = {0};

    ck_assert_int_eq(parse("{\"format\":2,\"contact\":\"2027-01-01T00:00:00Z\"}", &file), 0);
    ck_assert(file.contact_unix_ns != 0 && file.contact_age_ns == 0 && file.boot[0] == '\0');
}
END_TEST

START_TEST(damaged)
{
    struct hf_clock_file file = {0};

    ck_assert_int_eq(parse("{\"format\":1}", &file), -EBADMSG);
    ck_assert_int_eq(parse("{\"format\":3}", &file), -EBADMSG);
    ck_assert_int_eq(parse("{\"format\":2,\"contact\":\"yesterday\"}", &file), -EBADMSG);
    ck_assert_int_lt(parse("{\"format\":2", &file), 0);
    /* A bad number or boot id costs itself only. */
    ck_assert_int_eq(
        parse("{\"format\":2,\"contactAgeSeconds\":-5,\"boot\":\"../x\",\"contactBootSeconds\":99999999999999}", &file),
        0);
    ck_assert(file.contact_age_ns == 0 && file.boot[0] == '\0' && file.contact_mono_ns == 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, rounding);
    tcase_add_test(tc, room_for_all);
    tcase_add_test(tc, absent_keys);
    tcase_add_test(tc, damaged);
}
HF_TEST_MAIN("node/clock_file", cases)
