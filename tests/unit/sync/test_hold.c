/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/hold.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NOW (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */
#define HOUR (3600 * HF_NS_PER_S)

static const struct {
    const char *text;
    int want_r;
    uint64_t want_since, want_until;
    const char *want_reason;
} holds[] = {
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2026-11-20T09:00:00Z\"}", 0, NOW - HOUR,
     NOW + HOUR, "line 3"},
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\"}", 0, NOW - HOUR, HF_NEVER, "line 3"},
    {"{\"since\":\"1970-01-01T00:01:00Z\"}", 0, 60 * HF_NS_PER_S, HF_NEVER, ""},
    {"{}", 0, 0, HF_NEVER, ""},
    {"{\"reason\":\"two\\nlines\",\"until\":\"\"}", 0, 0, HF_NEVER, "two lines"},
    {"", -EBADMSG, 0, HF_NEVER, "the hold file cannot be read"},
    {"stop", -EBADMSG, 0, HF_NEVER, "the hold file cannot be read"},
    {"[1]", -EBADMSG, 0, HF_NEVER, "the hold file cannot be read"},
    {"{\"until\":\"tomorrow\"}", -EBADMSG, 0, HF_NEVER, "the hold file cannot be read"},
    {"{\"since\":\"1.1.2026\"}", -EBADMSG, 0, HF_NEVER, "the hold file cannot be read"},
};

START_TEST(parse)
{
    struct hf_hold hold = {0};
    int r = hf_hold_parse(hf_view_of(holds[_i].text), &hold, NULL);

    ck_assert_msg(r == holds[_i].want_r && hold.present, "%s: r=%d present=%d", holds[_i].text, r, hold.present);
    ck_assert(hold.unreadable == (r < 0));
    ck_assert_uint_eq(hold.since_unix_ns, holds[_i].want_since);
    ck_assert_uint_eq(hold.until_unix_ns, holds[_i].want_until);
    ck_assert_str_eq(hold.reason, holds[_i].want_reason);
}
END_TEST

/* Only a file that does not exist is no hold. */
static const struct {
    int r;
    bool want_present;
    int want_r;
} reads[] = {{-ENOENT, false, 0},      {-EIO, true, -EIO},       {-EMFILE, true, -EMFILE},
             {-ENOMEM, true, -ENOMEM}, {-ELOOP, true, -ELOOP},   {-EINVAL, true, -EINVAL},
             {-E2BIG, true, -E2BIG},   {-EACCES, true, -EACCES}, {0, true, 0}};

START_TEST(unreadable)
{
    struct hf_hold hold = {0};
    int r = hf_hold_take(reads[_i].r, reads[_i].r == 0 ? HF_VIEW("{}") : HF_VIEW(""), &hold, NULL);

    ck_assert_msg(r == reads[_i].want_r && hold.present == reads[_i].want_present, "%d: %d %d", reads[_i].r, r,
                  hold.present);
    ck_assert(hold.unreadable == (r < 0));
    ck_assert_str_eq(hold.reason, reads[_i].r == 0 || !hold.present ? "" : "the hold file cannot be read");
}
END_TEST

/* Cut in the middle of a character: the whole character goes. */
START_TEST(long_reason)
{
    char text[512] = "{\"reason\":\"";
    struct hf_hold hold;

    for (int i = 0; i < 100; i++)
        (void)strncat(text, "\xc3\xa4", 3);
    (void)strncat(text, "\"}", 3);
    ck_assert_int_eq(hf_hold_parse(hf_view_of(text), &hold, NULL), 0);
    ck_assert_uint_eq(strlen(hold.reason), 126);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parse, 0, HF_LEN(holds));
    tcase_add_loop_test(tc, unreadable, 0, HF_LEN(reads));
    tcase_add_test(tc, long_reason);
}

HF_TEST_MAIN("sync/hold", cases)
