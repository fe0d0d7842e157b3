/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <errno.h>

#include "support/check_main.h"

static const struct {
    const char *in;
    size_t n; /* 0: strlen */
    const char *want;
} good[] = {
    {"{}", 0, "{}"},
    {" [1, -2, true, null, \"x\"] ", 0, "[1,-2,true,null,\"x\"]"},
    {"\"alone\"", 0, "\"alone\""},
    {"9223372036854775807", 0, "9223372036854775807"},
    {"-9223372036854775808", 0, "-9223372036854775808"},
    {"{\"b\":1,\"a\":{\"\":[]}}", 0, "{\"b\":1,\"a\":{\"\":[]}}"},
    {"\"\\ud83d\\ude00\\\"\\u0007\"", 0, "\"\xf0\x9f\x98\x80\\\"\\u0007\""},
    {"0.5", 0, "0.5"},
    {"[9223372036854775808,-9223372036854775809,18446744073709551616]", 0,
     "[9.2233720368547758e18,-9.2233720368547758e18,1.8446744073709552e19]"},
    {"[-0,-0.0,1e2,1E-400]", 0, "[0,-0.0,100.0,0.0]"},
    {"{\"\\u0061\\ud83d\\ude00\":\"\\/\\u00e4\"}", 0, "{\"a\xf0\x9f\x98\x80\":\"/\xc3\xa4\"}"},
    {"[\"]]]]{{{{\\\\\", \"\\\"[\"]", 0, "[\"]]]]{{{{\\\\\",\"\\\"[\"]"},
};

START_TEST(parses)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1000);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_json_parse(hf_view_of(good[_i].in), NULL, &json, &err);

    ck_assert_msg(r == 0, "%s: %s", good[_i].in, err.cause);
    ck_assert_int_eq(hf_json_format(json, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), good[_i].want);
    ck_assert_uint_eq(hf_json_format_size(json), out.n);
}
END_TEST

/* Other programs, and older versions of this one, write what jansson writes. */
START_TEST(format_writes_what_jansson_writes)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(10000);
    char text[256];

    for (int i = 0; i < 255; i++)
        text[i] = (char)(i + 1);
    text[127] = '\0'; /* ASCII, control characters included */
    _cleanup_(hf_json_freep) json_t *json = json_pack(
        "{s:s, s:s, s:[i,f,f,b,n,[],{}], s:I, s:I, s:{s:s}}", "ascii", text, "more", "\xc3\xa4\xf0\x9f\x98\x80\"\\/",
        "list", -1, 1e300, -0.5, 1, "least", (json_int_t)INT64_MIN, "most", (json_int_t)INT64_MAX, "\n key", "", "");
    _cleanup_(hf_freep) char *want = json_dumps(json, JSON_COMPACT);

    ck_assert_ptr_nonnull(want);
    ck_assert_int_eq(hf_json_format(json, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), want);
    ck_assert_uint_eq(hf_json_format_size(json), strlen(want));
    ck_assert_int_eq(hf_json_format(NULL, &out), -EINVAL);
    ck_assert_str_eq(hf_buf_str(&out), want);
    ck_assert_uint_eq(hf_json_format_size(NULL), 0);
}
END_TEST

START_TEST(format_ends_a_circle)
{
    json_t *json = json_array();
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(10000);

    for (int i = 0; i < 3000; i++) { /* deeper than any tree of ours, as a circle would be */
        json_t *outer = json_array();
        ck_assert_int_eq(json_array_append_new(outer, json), 0);
        json = outer;
    }
    ck_assert_int_eq(hf_json_format(json, &out), -EINVAL);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_uint_eq(hf_json_format_size(json), 0);
    json_decref(json);
}
END_TEST

static const struct {
    const char *in;
    size_t n; /* 0: strlen */
    int want_r;
    const char *want; /* start of the cause */
} bad[] = {
    {"", 0, -EBADMSG, "line 1 column 1: the text ends before a value"},
    {"{\"a\":1,\n \"a\":2}", 0, -EBADMSG, "line 2 column 2: duplicate member"},
    {"{\"a\":[{\"b\":1,\"\\u0062\":2}]}", 0, -EBADMSG, "line 1 column 14: duplicate member"},
    {"{\"a\":1} x", 0, -EBADMSG, "line 1 column 9: text after the end"},
    {"{\"a\":1}\0{}", 10, -EBADMSG, "line 1 column 8: text after the end"},
    {"[1,]", 0, -EBADMSG, "line 1 column 4: "},
    {"{'a':1}", 0, -EBADMSG, "line 1 column 2: "},
    {"[\"\xff\"]", 0, -EBADMSG, "line 1 column "},
    {"[\"\xed\xa0\x80\"]", 0, -EBADMSG, "line 1 column "},
    {"[\"\\ud800\"]", 0, -EBADMSG, "line 1 column "},
    {"[\"\\u0000\"]", 0, -EBADMSG, "line 1 column "},
    {"{\"a\\u0000b\":1}", 0, -EBADMSG, "line 1 column "},
    {"[\"a\0b\"]", 7, -EBADMSG, "line 1 column "},
    {"1e999", 0, -EBADMSG, "line 1 column 1: number out of range"},
    {"-1e999", 0, -EBADMSG, "line 1 column 1: number out of range"},
    {"NaN", 0, -EBADMSG, "line 1 column "},
    {"Infinity", 0, -EBADMSG, "line 1 column "},
    {"\xef\xbb\xbf{}", 0, -EBADMSG, "line 1 column "},
    {"tru", 0, -EBADMSG, "line 1 column "},
    {"\"open", 0, -EBADMSG, "line 1 column "},
    {"\"open\\", 0, -EBADMSG, "line 1 column "},
    {"01", 0, -EBADMSG, "line 1 column "},
    {"[\n[[[[", 0, -E2BIG, "line 2 column 4: nested more than 4"},
    {"[1,2,3,4,5,6,7,8,9]", 0, 0, NULL},
    {"[1,2,3,4,5,6,7,8,9,10]", 0, -E2BIG, "line 1 column 19: more values than 10"},
    {"[\"1\",\"2\",[],{},{},6,7,8,9,true]", 0, -E2BIG, "line 1 column 26: more values than 10"},
    {"{\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9}", 0, 0, NULL},
    {"                                                                                 ", 0, -E2BIG,
     "JSON text of 81 bytes, the limit is 80"},
};

START_TEST(refuses)
{
    static const struct hf_json_limits limits = {.max_bytes = 80, .max_depth = 4, .max_nodes = 10};
    json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;
    struct hf_view text = {bad[_i].in, bad[_i].n != 0 ? bad[_i].n : strlen(bad[_i].in)};
    int r = hf_json_parse(text, &limits, &json, &err);

    ck_assert_msg(r == bad[_i].want_r, "%s: %d %s", bad[_i].in, r, err.cause);
    ck_assert((r == 0) == (json != NULL));
    if (bad[_i].want != NULL)
        ck_assert_msg(strncmp(err.cause, bad[_i].want, strlen(bad[_i].want)) == 0, "%s: '%s'", bad[_i].in, err.cause);
    json_decref(json);
}
END_TEST

START_TEST(errors_quote_nothing)
{
    json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_json_parse(HF_VIEW("{\"token\": s3cr3t}"), NULL, &json, &err), -EBADMSG);
    ck_assert_ptr_null(strstr(err.cause, "s3cr3t"));
}
END_TEST

START_TEST(deep_text_costs_nothing)
{
    size_t n = 4 << 20;
    _cleanup_(hf_freep) char *text = malloc(n);
    json_t *json = NULL;

    memset(text, '[', n);
    ck_assert_int_eq(hf_json_parse((struct hf_view){text, n}, NULL, &json, NULL), -E2BIG);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 2 ? '1' : ',';
    text[0] = '[';
    ck_assert_int_eq(hf_json_parse((struct hf_view){text, n}, NULL, &json, NULL), -E2BIG);
}
END_TEST

START_TEST(format_obeys_the_buffer)
{
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s}", "key", "a long enough value");
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(20);

    ck_assert_int_eq(hf_buf_add_str(&out, "x"), 0);
    ck_assert_int_eq(hf_json_format(json, &out), -E2BIG);
    ck_assert_str_eq(hf_buf_str(&out), "x");
    ck_assert_int_eq(hf_json_canonical(json, &out, NULL), -E2BIG);
    ck_assert_str_eq(hf_buf_str(&out), "x");
    ck_assert_int_eq(hf_yaml_format(json, &out), -E2BIG);
    ck_assert_str_eq(hf_buf_str(&out), "x");
}
END_TEST

START_TEST(getters_and_put)
{
    _cleanup_(hf_json_freep) json_t *json = json_object();

    ck_assert_int_eq(hf_json_put(json, "a.b.c", json_integer(7)), 0);
    ck_assert_int_eq(hf_json_put(json, "a.b.text", json_string("x")), 0);
    ck_assert_int_eq(hf_json_put(json, "flag", json_true()), 0);
    ck_assert_int_eq(hf_json_put(json, "flag.x", json_true()), -ENOTDIR);
    ck_assert_int_eq(hf_json_put(json, "a.b.text", json_string("y")), 0);
    ck_assert_int_eq(hf_json_put(json, "never", NULL), -ENOMEM);
    ck_assert_int_eq(hf_json_int_or(json, "a.b.c", -1), 7);
    ck_assert_int_eq(hf_json_int_or(json, "a.b.text", -1), -1);
    ck_assert_int_eq(hf_json_int_or(json, "a.nothing.c", -1), -1);
    ck_assert_str_eq(hf_json_str(json, "a.b.text"), "y");
    ck_assert_ptr_null(hf_json_str(json, "a.b.c"));
    ck_assert_str_eq(hf_json_str_or(json, "a.b", "none"), "none");
    ck_assert(hf_json_bool_or(json, "flag", false));
    ck_assert(hf_json_bool_or(json, "a.b.c", true));
    ck_assert_ptr_null(hf_json_at(NULL, "a"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, format_writes_what_jansson_writes);
    tcase_add_test(tc, format_ends_a_circle);
    tcase_add_loop_test(tc, parses, 0, (int)HF_LEN(good));
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(bad));
    tcase_add_test(tc, errors_quote_nothing);
    tcase_add_test(tc, deep_text_costs_nothing);
    tcase_add_test(tc, format_obeys_the_buffer);
    tcase_add_test(tc, getters_and_put);
}
HF_TEST_MAIN("codec/json", cases)
