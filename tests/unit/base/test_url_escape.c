/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/url_escape.h"

#include <errno.h>

#include "support/check_main.h"

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {"node-1.site_a~x", "node-1.site_a~x"},
    {"a b", "a%20b"},
    {"a/../b", "a%2F..%2Fb"},
    {"x=1&y?#", "x%3D1%26y%3F%23"},
    {"100%", "100%25"},
    {"\xc3\xa9\n", "%C3%A9%0A"},
};

START_TEST(escape)
{
    struct hf_buf out = HF_BUF_INIT(64);

    ck_assert_int_eq(hf_url_escape(rows[_i].text, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), rows[_i].want);
    hf_buf_done(&out);
}
END_TEST

START_TEST(bounded)
{
    struct hf_buf out = HF_BUF_INIT(4);

    ck_assert_int_eq(hf_url_escape("ab//", &out), -E2BIG);
    hf_buf_done(&out);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, escape, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, bounded);
}
HF_TEST_MAIN("base/url_escape", cases)
