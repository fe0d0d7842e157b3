/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding/plain.h"

#include <check.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "support/check_main.h"

static const struct {
    const char *text, *plain, *json;
} rows[] = {
    {"", "", ""},
    {"plain caf\xc3\xa9 \xe6\x97\xa5", "plain caf\xc3\xa9 \xe6\x97\xa5", "plain caf\xc3\xa9 \xe6\x97\xa5"},
    {"\x1b[31m", "?[31m", "\\u001b[31m"},
    {"\x07\x08\r\x7f", "????", "\\u0007\\u0008\\u000d\\u007f"},
    {"a\nb\tc", "a\nb\tc", "a\nb\tc"},
    {"\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f\xc2\xa0", "????\xc2\xa0", "\\u0080\\u0085\\u009b\\u009f\xc2\xa0"},
    {"\x80\x9b\x9f\xff", "????", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* as C1 of a terminal without UTF-8 */
    {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "???", "\\u200e\\u200f\\u061c"},
    {"\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "????", "\\u202a\\u202e\\u2066\\u2069"},
    {"\xe2\x80\xa8\xe2\x80\xa9", "??", "\\u2028\\u2029"},
    {"\xc2", "?", "\\ufffd"},
    {"\xe2\x80", "??", "\\ufffd\\ufffd"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
};

START_TEST(each_row)
{
    const char *text = rows[_i].text;
    size_t n = strlen(text);
    _cleanup_(hf_buf_done) struct hf_buf json = HF_BUF_INIT(1000);
    char out[64];

    out[hf_plain_bytes(text, n, "\n\t", out)] = '\0';
    ck_assert_str_eq(out, rows[_i].plain);
    ck_assert_int_eq(hf_plain_json(text, n, &json), 0);
    ck_assert_str_eq(hf_buf_str(&json), rows[_i].json);
}
END_TEST

START_TEST(line_ends_go_unless_kept)
{
    char out[8];

    ck_assert_uint_eq(hf_plain_bytes("a\nb\0c", 5, "", out), 5);
    ck_assert_mem_eq(out, "a?b?c", 5);
    ck_assert_uint_eq(hf_plain_bytes("a\nb\0c", 5, "\n", out), 5);
    ck_assert_mem_eq(out, "a\nb?c", 5);
}
END_TEST

/* Of all characters the terminal gets none that steers it, whatever stands beside it. */
START_TEST(every_character)
{
    for (uint32_t point = 1; point <= 0x10ffff; point++) {
        char text[4], out[4];
        size_t n = hf_utf8_put(point, text), used;
        bool surrogate = point >= 0xd800 && point < 0xe000;
        bool bad = point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c || point == 0x200e ||
                   point == 0x200f || (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
        used = hf_plain_bytes(text, n, "", out);
        ck_assert_msg(surrogate || (bad ? used == 1 && out[0] == '?' : used == n && memcmp(out, text, n) == 0),
                      "U+%04X", point);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_row, 0, HF_LEN(rows));
    tcase_add_test(tc, line_ends_go_unless_kept);
    tcase_add_test(tc, every_character);
}

HF_TEST_MAIN("base/plain", cases)
