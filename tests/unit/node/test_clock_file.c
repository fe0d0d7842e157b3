/* SPDX-License-Identifier: Apache-2.0 */
/* The clock file: what is saved is read again, and what is damaged is refused. */
#include "node/clock_file.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"

#define BOOT "8c4a1d2e-0000-4000-8000-0123456789ab"

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
                                 .hold_id = 0xc0ffee00c0ffee00,
                                 .hold_age_ns = 1800 * HF_NS_PER_S,
                                 .hold_began_unix_ns = 1800000005 * HF_NS_PER_S,
                                 .agreed_age_ns = 900 * HF_NS_PER_S};
    struct hf_clock_file again = {0};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    ck_assert_int_eq(hf_clock_file_parse(hf_buf_view(&text), &again, NULL), 0);
    ck_assert_int_eq(memcmp(&file, &again, sizeof(file)), 0);
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

/* Times of a boot without a name say nothing to the next process. */
START_TEST(unknown_boot)
{
    struct hf_clock_file file = {.contact_age_ns = 5, .saved_mono_ns = 6, .contact_mono_ns = 7}, again;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    ck_assert_int_eq(hf_clock_file_parse(hf_buf_view(&text), &again, NULL), 0);
    ck_assert(again.contact_age_ns == 5 && again.saved_mono_ns == 0 && again.contact_mono_ns == 0);
}
END_TEST

START_TEST(damaged)
{
    static const char *const texts[] = {"", "{}", "{\"format\":2}", "holdfast-clock 2 abc\n{}",
                                        "holdfast-clock 3 abc\n{}"};
    struct hf_clock_file file = {.contact_age_ns = 5};

    for (size_t i = 0; i < HF_LEN(texts); i++)
        ck_assert_int_eq(hf_clock_file_parse(hf_view_of(texts[i]), &file, NULL), -EBADMSG);
    ck_assert_uint_eq(file.contact_age_ns, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, room_for_all);
    tcase_add_test(tc, unknown_boot);
    tcase_add_test(tc, damaged);
}
HF_TEST_MAIN("node/clock_file", cases)
