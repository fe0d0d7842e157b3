/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/scan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "support/check_main.h"

/* ---- what is JSON and what is not ---------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *what; /* NULL: it is JSON */
    int at;           /* of the failure */
} texts[] = {
    {"{}", NULL, 0},
    {" [ ] ", NULL, 0},
    {"null", NULL, 0},
    {"\t\r\n true", NULL, 0},
    {"false", NULL, 0},
    {"0", NULL, 0},
    {"-0", NULL, 0},
    {"-0.0e-0", NULL, 0},
    {"12345678901234567890123", NULL, 0},
    {"1.7976931348623157e308", NULL, 0},
    {"1e-400", NULL, 0},
    {"\"\"", NULL, 0},
    {"\"plain\"", NULL, 0},
    {"\"12345678\"", NULL, 0},
    {"\"1234567\\n89abcdef\"", NULL, 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\\u0000\"", NULL, 0},
    {"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", NULL, 0},
    {"\"\x7f\"", NULL, 0},
    {"[1,2,[3,{\"a\":[{}]}],\"x\"]", NULL, 0},
    {"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":true}", NULL, 0},
    {"{\"a\":{\"x\":1,\"y\":{\"x\":1}},\"x\":[{\"x\":1},{\"x\":1}]}", NULL, 0},
    {"{\"a\":{\"x\":1,\"x\":2}}", "duplicate member", 12},
    {"[{\"\\u0061\":1,\"b\":{},\"a\":2}]", "duplicate member", 20},
    {"{\"\\u0000\":1,\"\\u0000\":2}", "duplicate member", 12},
    {"{\"12345678\":1,\"1234567\\u0038\":2}", "duplicate member", 14},
    {"", "the text ends before a value", 0},
    {"  ", "the text ends before a value", 2},
    {"{", "the text ends inside an object", 1},
    {"[", "the text ends before a value", 1},
    {"[1", "the text ends inside an object or array", 2},
    {"[1,", "the text ends before a value", 3},
    {"[1,]", "expected a value", 3},
    {"[,1]", "expected a value", 1},
    {"[1 2]", "expected a comma or a closing bracket", 3},
    {"[1}", "expected a comma or a closing bracket", 2},
    {"[{]", "expected a member's name", 2},
    {"{]", "expected a member's name", 1},
    {"{\"a\"}", "expected a colon after a member's name", 4},
    {"{\"a\":}", "expected a value", 5},
    {"{\"a\":1,}", "expected a member's name", 7},
    {"{\"a\":1 \"b\":2}", "expected a comma or a closing bracket", 7},
    {"{a:1}", "expected a member's name", 1},
    {"{1:1}", "expected a member's name", 1},
    {"{'a':1}", "expected a member's name", 1},
    {"{} {}", "text after the end", 3},
    {"1 x", "text after the end", 2},
    {"\"", "the text ends inside a string", 1},
    {"\"abc", "the text ends inside a string", 4},
    {"\"abc\\\"", "the text ends inside a string", 6},
    {"\"a\nb\"", "a control character inside a string", 2},
    {"\"a\tb\"", "a control character inside a string", 2},
    {"\"1234567\x01\"", "a control character inside a string", 8},
    {"\"\\x\"", "invalid escape sequence", 1},
    {"\"\\u12\"", "invalid escape sequence", 1},
    {"\"\\u12g4\"", "invalid escape sequence", 1},
    {"\"\\ud83d\"", "invalid escape sequence", 1},
    {"\"\\ud83d\\u0041\"", "invalid escape sequence", 1},
    {"\"\\ude00\"", "invalid escape sequence", 1},
    {"\"\x80\"", "invalid UTF-8", 1},
    {"\"\xc0\xaf\"", "invalid UTF-8", 1},
    {"\"\xed\xa0\x80\"", "invalid UTF-8", 1},
    {"\"\xf4\x90\x80\x80\"", "invalid UTF-8", 1},
    {"\"\xff\"", "invalid UTF-8", 1},
    {"\"\xe2\x82\"", "invalid UTF-8", 1},
    {"\"\xf0\x9f", "invalid UTF-8", 1},
    {"NaN", "expected a value", 0},
    {"Infinity", "expected a value", 0},
    {"-Infinity", "expected a value", 0},
    {"[nan]", "expected a value", 1},
    {"+1", "expected a value", 0},
    {".5", "expected a value", 0},
    {"-", "expected a value", 0},
    {"01", "invalid number", 1},
    {"1.", "a number without digits after its point", 1},
    {"1.e5", "a number without digits after its point", 1},
    {"1e", "a number without digits in its exponent", 2},
    {"1e+", "a number without digits in its exponent", 3},
    {"0x10", "invalid number", 1},
    {"1_000", "invalid number", 1},
    {"1e309", "number out of range", 0},
    {"-1e999999999999", "number out of range", 0},
    {"tru", "expected a value", 0},
    {"truely", "text after the end", 4},
    {"TRUE", "expected a value", 0},
    {"undefined", "expected a value", 0},
    {"// x\n1", "expected a value", 0},
    {"\xef\xbb\xbf{}", "expected a value", 0},
};

static int scan_whole(struct hf_view text, struct hf_scan *scan)
{
    struct hf_scan_value value;

    hf_scan_init(scan, text);
    int r = hf_scan_value(scan, &value);
    return r < 0 ? r : hf_scan_end(scan);
}

START_TEST(grammar)
{
    /* On the heap, without a byte behind it: reading too far shows. */
    size_t n = strlen(texts[_i].text);
    char *copy = malloc(n > 0 ? n : 1);
    struct hf_scan scan;

    memcpy(copy, texts[_i].text, n);
    int r = scan_whole((struct hf_view){copy, n}, &scan);
    ck_assert_msg(r == (texts[_i].what != NULL ? -EBADMSG : 0), "'%s': r=%d %s", texts[_i].text, r, scan.what);
    if (texts[_i].what != NULL) {
        ck_assert_msg(strcmp(scan.what, texts[_i].what) == 0, "'%s': %s", texts[_i].text, scan.what);
        ck_assert_msg(scan.at == (size_t)texts[_i].at, "'%s': at %zu", texts[_i].text, scan.at);
    }
    free(copy);
}
END_TEST

/* Every beginning of a text is no text (but for numbers), and is refused without reading behind it. */
START_TEST(cut_anywhere)
{
    static const char whole[] =
        "{\"id\":\"a\\u00e4\xc3\xa4\",\"v\":[1.5e3,-2,true,false,null,{\"x\":\"\\ud83d\\ude00\"}],\"e\":{}}";

    for (size_t n = 0; n < sizeof(whole); n++) {
        struct hf_scan scan;
        char *copy = malloc(n > 0 ? n : 1);
        memcpy(copy, whole, n);
        ck_assert_msg(scan_whole((struct hf_view){copy, n}, &scan) == (n == sizeof(whole) - 1 ? 0 : -EBADMSG), "%zu",
                      n);
        free(copy);
    }
}
END_TEST

START_TEST(depth)
{
    char text[2 * HF_SCAN_MAX_DEPTH + 16];

    for (size_t d = HF_SCAN_MAX_DEPTH - 1; d <= HF_SCAN_MAX_DEPTH + 2; d++) {
        struct hf_scan scan;
        memset(text, '[', d);
        memset(text + d, ']', d);
        int r = scan_whole((struct hf_view){text, 2 * d}, &scan);
        ck_assert_msg(r == (d <= HF_SCAN_MAX_DEPTH ? 0 : -E2BIG), "%zu: %d", d, r);
        if (r < 0)
            ck_assert_str_eq(scan.what, "nested too deeply");
    }
}
END_TEST

/* Numbers longer than the limit are refused whatever they are worth. */
START_TEST(long_numbers)
{
    char text[HF_SCAN_MAX_NUMBER + 2];
    struct hf_scan scan;

    memset(text, '1', sizeof(text));
    text[1] = '.';
    ck_assert_int_eq(scan_whole((struct hf_view){text, HF_SCAN_MAX_NUMBER}, &scan), 0);
    ck_assert_int_eq(scan_whole((struct hf_view){text, HF_SCAN_MAX_NUMBER + 1}, &scan), -EBADMSG);
    text[1] = '1';
    ck_assert_int_eq(scan_whole((struct hf_view){text, 300}, &scan), 0);
    ck_assert_int_eq(scan_whole((struct hf_view){text, 400}, &scan), -EBADMSG); /* no double holds it */
    ck_assert_str_eq(scan.what, "number out of range");
}
END_TEST

/* Any byte at any place of a string is found as what it is, whatever the eight bytes around it are. */
START_TEST(bytes_in_strings)
{
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 20; at++) {
            char text[22] = "\"";
            struct hf_scan scan;
            memset(text + 1, '~', 20);
            text[1 + at] = (char)c;
            text[21] = '"';
            int r = scan_whole((struct hf_view){text, sizeof(text)}, &scan);
            bool fine = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            ck_assert_msg((r == 0) == fine, "byte %d at %zu: %d", c, at, r);
        }
    }
}
END_TEST

/* ---- taking apart -------------------------------------------------------------------------------------------------------- */

START_TEST(members)
{
    struct hf_scan scan;
    struct hf_scan_member m[6];
    size_t n = 99;

    hf_scan_init(
        &scan,
        HF_VIEW(" { \"id\" : \"x\" ,\"n\":-1.5e2, \"o\":{ \"id\":[1] } ,\"t\":true,\"z\":null,\"i\\u0064x\":[] } "));
    ck_assert_int_eq(hf_scan_members(&scan, m, HF_LEN(m), &n), 0);
    ck_assert_int_eq(hf_scan_end(&scan), 0);
    ck_assert_uint_eq(n, 6);
    ck_assert(hf_scan_is(&m[0], "id") && m[0].value.type == HF_SCAN_STRING && hf_view_eq(m[0].value.text, "x"));
    ck_assert(hf_scan_is(&m[1], "n") && m[1].value.type == HF_SCAN_NUMBER && hf_scan_number(&m[1].value) == -150);
    ck_assert(hf_view_eq(m[2].value.text, "{ \"id\":[1] }") && m[2].value.type == HF_SCAN_OBJECT);
    ck_assert(isnan(hf_scan_number(&m[2].value)));
    ck_assert_int_eq(m[3].value.type, HF_SCAN_TRUE);
    ck_assert_int_eq(m[4].value.type, HF_SCAN_NULL);
    ck_assert(hf_scan_is(&m[5], "idx") && !hf_scan_is(&m[5], "id") && !hf_scan_is(&m[5], "idxx"));
    ck_assert(m[5].value.type == HF_SCAN_ARRAY && hf_view_eq(m[5].value.text, "[]"));
}
END_TEST

static const struct {
    const char *text;
    size_t max;
    const char *what;
} bad_members[] = {
    {"{\"a\":1,\"b\":2,\"a\":3}", 8, "duplicate member"},
    {"{\"a\":1,\"\\u0061\":3}", 8, "duplicate member"},
    {"{\"\xc3\xa4\":1,\"\\u00e4\":3}", 8, "duplicate member"},
    {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":3}", 8, "duplicate member"},
    {"{\"\":1,\"\":3}", 8, "duplicate member"},
    {"{\"a\":1,\"b\":2,\"c\":3}", 2, "too many members"},
    {"[1]", 8, "expected an object"},
    {"", 8, "expected an object"},
    {"{\"a\":1", 8, "the text ends inside an object or array"},
    {"{\"a\":1,", 8, "the text ends inside an object"},
    {"{\"a\":1,}", 8, "expected a member's name"},
    {"{,}", 8, "expected a member's name"},
    {"{\"a\":1]", 8, "expected a comma or a closing bracket"},
};

START_TEST(bad_member)
{
    struct hf_scan scan;
    struct hf_scan_member m[8];
    size_t n = 99;

    hf_scan_init(&scan, hf_view_of(bad_members[_i].text));
    int r = hf_scan_members(&scan, m, bad_members[_i].max, &n);
    ck_assert_int_eq(r, -EBADMSG);
    ck_assert_msg(strcmp(scan.what, bad_members[_i].what) == 0, "'%s': %s", bad_members[_i].text, scan.what);
    ck_assert_uint_eq(n, 99);
    ck_assert_int_eq(hf_scan_end(&scan), -EBADMSG); /* it stays that way */
}
END_TEST

START_TEST(different_names)
{
    struct hf_scan scan;
    struct hf_scan_member m[8];
    size_t n;

    hf_scan_init(&scan, HF_VIEW("{\"a\":1,\"\\u0000\":2,\"\":3,\"\\u0061b\":4,\"\xc3\xa4\":5,\"\\u00e5\":6}"));
    ck_assert_int_eq(hf_scan_members(&scan, m, HF_LEN(m), &n), 0);
    ck_assert_uint_eq(n, 6);
}
END_TEST

START_TEST(arrays)
{
    struct hf_scan scan;
    struct hf_scan_value value;
    size_t n = 0;
    int r;

    hf_scan_init(&scan, HF_VIEW("[ 1 ,{\"a\":2}, \"]\" ] "));
    ck_assert_int_eq(hf_scan_peek(&scan), HF_SCAN_ARRAY);
    ck_assert_int_eq(hf_scan_array_enter(&scan), 0);
    for (bool first = true; (r = hf_scan_array_next(&scan, first)) > 0; first = false, n++)
        ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(n, 3);
    ck_assert(hf_view_eq(value.text, "]"));
    ck_assert_int_eq(hf_scan_end(&scan), 0);
    static const char *const bad[] = {"[1,]", "[,", "[1 2]", "[1", "[", "[1,", "{}"};
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        hf_scan_init(&scan, hf_view_of(bad[i]));
        r = hf_scan_array_enter(&scan);
        for (bool first = true; r >= 0 && (r = hf_scan_array_next(&scan, first)) > 0; first = false)
            r = hf_scan_value(&scan, &value);
        ck_assert_msg(r == -EBADMSG, "%s: %d", bad[i], r);
    }
}
END_TEST

START_TEST(strings)
{
    struct hf_buf scratch = HF_BUF_INIT(256);
    struct hf_scan scan;
    struct hf_scan_value value;
    struct hf_view text, other;

    hf_scan_init(&scan, HF_VIEW("\"plain\""));
    ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(hf_scan_string(&value, &scratch, &text), 0);
    ck_assert(hf_view_eq(text, "plain") && scratch.n == 0);
    hf_scan_init(&scan, HF_VIEW("\"\\\"\\\\\\/\\b\\f\\n\\r\\ta\\u00e4\\u20ac\\ud83d\\ude00z\""));
    ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(hf_buf_reserve(&scratch, 200), 0);
    ck_assert_int_eq(hf_scan_string(&value, &scratch, &text), 0);
    ck_assert(hf_view_eq(text, "\"\\/\b\f\n\r\ta\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"));
    hf_scan_init(&scan, HF_VIEW("\"\\u0041\""));
    ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(hf_scan_string(&value, &scratch, &other), 0);
    ck_assert(hf_view_eq(other, "A") && hf_view_starts(text, "\"\\/"));
    size_t before = scratch.n;
    hf_scan_init(&scan, HF_VIEW("\"abc\\u0000\""));
    ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(hf_scan_string(&value, &scratch, &other), -EINVAL);
    ck_assert_uint_eq(scratch.n, before);
    hf_buf_done(&scratch);
    scratch.max = 3;
    hf_scan_init(&scan, HF_VIEW("\"ab\\n\""));
    ck_assert_int_eq(hf_scan_value(&scan, &value), 0);
    ck_assert_int_eq(hf_scan_string(&value, &scratch, &other), -E2BIG);
    hf_buf_done(&scratch);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, grammar, 0, (int)HF_LEN(texts));
    tcase_add_test(tc, cut_anywhere);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, long_numbers);
    tcase_add_test(tc, bytes_in_strings);
    tcase_add_test(tc, members);
    tcase_add_loop_test(tc, bad_member, 0, (int)HF_LEN(bad_members));
    tcase_add_test(tc, different_names);
    tcase_add_test(tc, arrays);
    tcase_add_test(tc, strings);
}

HF_TEST_MAIN("codec/scan", cases)
