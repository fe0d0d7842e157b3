/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: RFC 8785, sections 3.2.2 and 3.2.3 (without the fractions, which are refused here on purpose). */
#include <errno.h>

#include "codec/json.h"
#include "support/check_main.h"

static const struct {
    const char *in;
    const char *want;
} vectors[] = {
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"{\"numbers\": [333333333, 4, 2, 0, -0],"
     " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
     " \"literals\": [null, true, false]}",
     "{\"literals\":[null,true,false],\"numbers\":[333333333,4,2,0,0],"
     "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
    {"{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\", \"\\ufb33\": \"Hebrew Letter Dalet With Dagesh\","
     " \"1\": \"One\", \"\\ud83d\\ude00\": \"Emoji: Grinning Face\", \"\\u0080\": \"Control\","
     " \"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}",
     "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin Small Letter O With "
     "Diaeresis\","
     "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
     "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}"},
    {"{\"peach\":\"This sorting order\",\"p\xc3\xa9"
     "ch\xc3\xa9\":\"is wrong according to French\",\"p\xc3\xaa"
     "che\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}",
     "{\"peach\":\"This sorting order\",\"p\xc3\xa9"
     "ch\xc3\xa9\":\"is wrong according to French\",\"p\xc3\xaa"
     "che\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}"},
    {"[\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\\u2028\"]", "[\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xe2\x80\xa8\"]"},
    {"{\"1\": {\"f\": {\"f\": \"hi\",\"F\": 5} ,\"\\n\": 56},\"10\": { },\"\": \"empty\",\"a\": { },\"111\": [ {\"e\": "
     "\"yes\",\"E\": \"no\" } ],"
     "\"A\": { }}",
     "{\"\":\"empty\",\"1\":{\"\\n\":56,\"f\":{\"F\":5,\"f\":\"hi\"}},\"10\":{},\"111\":[{\"E\":\"no\",\"e\":\"yes\"}],"
     "\"A\":{},\"a\":{}}"},
    {"[9007199254740991,-9007199254740991]", "[9007199254740991,-9007199254740991]"},
};

START_TEST(vector)
{
    _cleanup_(hf_json_freep) json_t *json = NULL, *again = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4000), twice = HF_BUF_INIT(4000);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_json_parse(hf_view_of(vectors[_i].in), NULL, &json, &err) == 0, "%s", err.cause);
    ck_assert_int_eq(hf_json_canonical(json, &out, &err), 0);
    ck_assert_str_eq(hf_buf_str(&out), vectors[_i].want);
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&out), NULL, &again, &err), 0);
    ck_assert_int_eq(hf_json_canonical(again, &twice, &err), 0);
    ck_assert_str_eq(hf_buf_str(&twice), vectors[_i].want);
}
END_TEST

static const struct {
    const char *in;
    const char *want;
} refused[] = {
    {"{\"a\":{\"b\":[1,0.5]}}", "a.b[1]: only integers up to 2^53-1, strings and booleans can be signed"},
    {"[1.0]", "[0]: only integers up to 2^53-1, strings and booleans can be signed"},
    {"{\"x\":9007199254740992}", "x: integers beyond 2^53-1 have no canonical form"},
    {"{\"x\":-9007199254740992}", "x: integers beyond 2^53-1 have no canonical form"},
};

START_TEST(refuses)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4000);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_json_parse(hf_view_of(refused[_i].in), NULL, &json, &err), 0);
    ck_assert_int_eq(hf_json_canonical(json, &out, &err), -EINVAL);
    ck_assert_str_eq(err.cause, refused[_i].want);
    ck_assert_uint_eq(out.n, 0);
}
END_TEST

/* RFC 8785, 3.2.2.3 and appendix B. */
static const struct {
    const char *in, *want;
} fractions[] = {
    {"[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]",
     "[333333333.3333333,1e+30,4.5,0.002,1e-27]"},
    {"[0.0, -0.0, 1.0, -1.0, 100.0, 1e20, 1e21, -1e21]", "[0,0,1,-1,100,100000000000000000000,1e+21,-1e+21]"},
    {"[5e-324, -5e-324, 1.7976931348623157e308]", "[5e-324,-5e-324,1.7976931348623157e+308]"},
    {"[9007199254740992.0, 295147905179352830000, 9.999999999999997e22, 1e23, 1.0000000000000001e23]",
     "[9007199254740992,295147905179352830000,9.999999999999997e+22,1e+23,1.0000000000000001e+23]"},
    {"[0.000001, 0.0000001, 0.9999999999999999, 123456.789, 0.1, 0.30000000000000004]",
     "[0.000001,1e-7,0.9999999999999999,123456.789,0.1,0.30000000000000004]"},
    {"[9.999999999999997e-7, 333333333.3333332, 1424953923781206.2, -0.0000033333333333333333]",
     "[9.999999999999997e-7,333333333.3333332,1424953923781206.2,-0.0000033333333333333333]"},
    {"[1, {\"a\": 0.5}]", "[1,{\"a\":0.5}]"},
};

START_TEST(fraction)
{
    _cleanup_(hf_json_freep) json_t *json = NULL, *again = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4000), twice = HF_BUF_INIT(4000);

    ck_assert_int_eq(hf_json_parse(hf_view_of(fractions[_i].in), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_json_canonical_fractions(json, &out, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&out), fractions[_i].want);
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&out), NULL, &again, NULL), 0);
    if (strstr(fractions[_i].in, "9007199254740992") != NULL)
        return; /* comes back as integers beyond 2^53-1 */
    if (strstr(fractions[_i].in, "1e20") == NULL)
        ck_assert_int_eq(hf_json_canonical_fractions(again, &twice, NULL), 0);
    if (strstr(fractions[_i].in, "1e20") == NULL)
        ck_assert_str_eq(hf_buf_str(&twice), fractions[_i].want);
}
END_TEST

START_TEST(depth_is_bounded)
{
    _cleanup_(hf_json_freep) json_t *json = json_array();
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4000);

    for (int i = 0; i < 500; i++) {
        json_t *outer = json_array();
        ck_assert_int_eq(json_array_append_new(outer, json), 0);
        json = outer;
    }
    ck_assert_int_eq(hf_json_canonical(json, &out, NULL), -E2BIG);
    ck_assert_int_eq(hf_yaml_format(json, &out), -E2BIG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, vector, 0, (int)HF_LEN(vectors));
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(refused));
    tcase_add_loop_test(tc, fraction, 0, (int)HF_LEN(fractions));
    tcase_add_test(tc, depth_is_bounded);
}
HF_TEST_MAIN("codec/json_canonical", cases)
