/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "codec/json.h"
#include "support/check_main.h"

static const struct {
    const char *in;
    const char *want; /* as JSON */
} good[] = {
    {"a: 1\nb: [x, 'y', \"z\"]\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\"]}"},
    {"- yes\n- no\n- on\n- y\n- ~\n- null\n- true\n- False\n-\n",
     "[\"yes\",\"no\",\"on\",\"y\",null,null,true,false,null]"},
    {"[0, -5, +5, 0x1F, 0o17, 1_000, 12:30, 1.4.2, 1.5, -.5e1, 2027-02-01T00:00:00Z]",
     "[0,-5,5,31,15,\"1_000\",\"12:30\",\"1.4.2\",1.5,-5.0,\"2027-02-01T00:00:00Z\"]"},
    {"mode: \"0755\"\n", "{\"mode\":\"0755\"}"},
    {"a: !!str 5\nb: !!int 5\nc: ! x\nd: !!map {}\ne: !!seq []\n",
     "{\"a\":\"5\",\"b\":5,\"c\":\"x\",\"d\":{},\"e\":[]}"},
    {"a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}"},
    {"x: &a {k: [1, 2]}\ny: *a\nz: [*a, *a]\n",
     "{\"x\":{\"k\":[1,2]},\"y\":{\"k\":[1,2]},\"z\":[{\"k\":[1,2]},{\"k\":[1,2]}]}"},
    {"&k key: 1\nother: *k\n", "{\"key\":1,\"other\":\"key\"}"},
    {"---\n# nothing\n---\na: 1\n...\n---\n", "{\"a\":1}"},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "{\"a\":1}"},
    {"\xef\xbb\xbf"
     "a: 1\nb: 2\nc:\n  d: 3\n",
     "{\"a\":1,\"b\":2,\"c\":{\"d\":3}}"},
    {"\xef\xbb\xbf"
     "# first\n---\na: 1\nb: 2\n",
     "{\"a\":1,\"b\":2}"},
    {"\xef\xbb\xbf{\"a\":1,\n\"b\":18446744073709551616}", "{\"a\":1,\"b\":1.8446744073709552e19}"},
    {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
    {"null", "null"},
    {"? long\n: value\n", "{\"long\":\"value\"}"},
    {"\"<<\": x\n", "{\"<<\":\"x\"}"},
    {"a: 1\r\nb:\r\n- x\r\n", "{\"a\":1,\"b\":[\"x\"]}"},
    {"\xef\xbb\xbf%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
    {"\xef\xbb\xbf\r\na: 1\r\n", "{\"a\":1}"},
};

START_TEST(parses)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1000);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_yaml_parse(hf_view_of(good[_i].in), NULL, &json, &err);

    ck_assert_msg(r == 0, "%s: %s", good[_i].in, err.cause);
    ck_assert_int_eq(hf_json_format(json, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), good[_i].want);
}
END_TEST

static const struct {
    const char *in;
    int want_r;
    const char *want;
} bad[] = {
    {"", -EBADMSG, "no document in this YAML text"},
    {"# only a comment\n", -EBADMSG, "no document in this YAML text"},
    {"a: 1\n---\nb: 2\n", -EBADMSG, "2 documents where one is expected"},
    {"a: 1\nb: 2\na: 3\n", -EBADMSG, "line 3 column 1: duplicate key"},
    {"mode: 0755\n", -EBADMSG, "line 1 column 7: this looks octal: write it in quotes, or without the zero in front"},
    {"1: x\n", -EBADMSG, "line 1 column 1: a key must be a string: quote it"},
    {"true: x\n", -EBADMSG, "line 1 column 1: a key must be a string: quote it"},
    {": x\n", -EBADMSG, "line 1 column 1: did not find expected key, while parsing a block mapping"},
    {"{: x}\n", -EBADMSG, "line 1 column 2: did not find expected node content, while parsing a flow node"},
    {"[a]: x\n", -EBADMSG, "line 1 column 1: a key must be a string, not a mapping or a list"},
    {"x: &a {k: 1}\ny: {*a : 1}\n", -EBADMSG, "line 2 column 5: a key must be a string: quote it"},
    {"a: *nobody\n", -EBADMSG, "line 1 column 4: alias without a complete anchor before it"},
    {"a: &self [*self]\n", -EBADMSG, "line 1 column 11: alias without a complete anchor before it"},
    {"a: &x 1\n---\nb: *x\n", -EBADMSG, "line 3 column 4: alias without a complete anchor before it"},
    {"a: &x {b: 1}\nc:\n  <<: *x\n", -EBADMSG, "line 3 column 3: merge keys ('<<') are not supported"},
    {"a: !thing 1\n", -EBADMSG, "line 1 column 4: unsupported tag"},
    {"a: !!binary aGk=\n", -EBADMSG, "line 1 column 4: unsupported tag"},
    {"a: !!set {}\n", -EBADMSG, "line 1 column 4: unsupported tag"},
    {"a: !!int x\n", -EBADMSG, "line 1 column 4: this value does not fit its tag"},
    {"a: .inf\n", -EBADMSG, "line 1 column 4: not a finite number"},
    {"a: 9223372036854775808\n", -EBADMSG, "line 1 column 4: number out of range"},
    {"a: 1e999\n", -EBADMSG, "line 1 column 4: number out of range"},
    {"a: \"x\\0y\"\n", -EBADMSG, "line 1 column 4: a string must not hold a zero byte"},
    {"a: [1, 2\n", -EBADMSG, "line 2 column 1: did not find expected ',' or ']', while parsing a flow sequence"},
    {"a:\n\t- x\n", -EBADMSG,
     "line 2 column 1: found character that cannot start any token, while scanning for the next token"},
    {"a: \xff\n", -EBADMSG, "byte 3: invalid leading UTF-8 octet"},
    {"\xef\xbb\xbf\xef\xbb\xbf"
     "a: 1\n",
     -EBADMSG,
     "line 1 column 1: U+FEFF, which JSON and YAML do not read alike: write it as an escape in double quotes"},
    {"a: \x01\n", -EBADMSG, "byte 3: control characters are not allowed"},
    {"[[[[[", -E2BIG, "line 1 column 5: nested more than 4"},
    {"a: &a [[1]]\nb: [[[*a]]]\n", -E2BIG, "line 2 column 7: this alias nests too deeply"},
    {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", -E2BIG,
     "line 1 column 50: more than 20 values (aliases count expanded)"},
    {"a: &a [1,1,1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n", -E2BIG,
     "line 3 column 5: more than 20 values (aliases count expanded)"},
};

START_TEST(refuses)
{
    static const struct hf_json_limits limits = {.max_bytes = 80, .max_depth = 4, .max_nodes = 20};
    json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_yaml_parse(hf_view_of(bad[_i].in), &limits, &json, &err);

    ck_assert_msg(r == bad[_i].want_r, "%s: %d %s", bad[_i].in, r, err.cause);
    ck_assert_ptr_null(json);
    ck_assert_str_eq(err.cause, bad[_i].want);
}
END_TEST

/* Where a password can get into each of the messages. A kubeconfig, a Secret in a manifest set, and any file of a
 * folder source come here, and their errors go to logs and statuses. */
static const char *const passwords[] = {
    "password: 0123456777\n",       "password: 1234567770000000000000000\n",
    "password: 1234567771e999\n",   "password: *hunter777\n",
    "password: !hunter777\n",       "password: !hunter777 {}\n",
    "password: !!int hunter777\n",  "password: {hunter777, hunter777}\n",
    "password: [hunter777\n",       "password: \"hunter777\n",
    "password: \"hunter777\\q\"\n", "password: @hunter777\n",
    "password: %hunter777\n",       "password: &hunter777\nx: [*hunter777, *hunter7777]\n",
    "password: hunter777: x\n",     "password: |hunter777\n",
};

START_TEST(quotes_nothing)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    ck_assert_int_eq(hf_yaml_parse(hf_view_of(passwords[_i]), NULL, &json, &err), -EBADMSG);
    ck_assert_msg(strstr(hf_err_text(&err, text, sizeof(text)), "777") == NULL, "%s", text);
}
END_TEST

START_TEST(bomb)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(10000);
    json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_buf_add_str(&text, "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"), 0);
    for (int i = 1; i < 12; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "l%d: &l%d [*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d]\n", i, i,
                                     i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1),
                         0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&text), NULL, &json, &err), -E2BIG);
    ck_assert_ptr_nonnull(strstr(err.cause, "more than 200000 values"));
}
END_TEST

/* Few values, but long ones. '@' stands for 1,000 bytes; `repeat` fits `fits` times into a max_bytes of 9,900. */
static const struct {
    const char *begin, *repeat, *end;
    int fits;
} long_ones[] = {
    {"a: &a @\nb: [", "*a,", "]\n", 8},
    {"- &a @\n-\n", "  - {*a : 1}\n", "", 8},    /* as a key */
    {"- &a {@: 1}\n- [", "*a,", "]\n", 8},       /* with a key */
    {"- {&a @: 1}\n- [", "*a,", "]\n", 8},       /* the anchor of a key */
    {"- &b @\n- &a [*b]\n- [", "*a,", "]\n", 7}, /* an alias of an alias */
    {"- &b @\n- &a {*b : 1}\n- [", "*a,", "]\n", 7},
    {"- &b @\n- &a [&c [*b]]\n- [", "*c,", "]\n", 7},
    {"", "- &a @\n- *a\n---\n", "", 4}, /* all documents together */
};

static void add_long(struct hf_buf *text, const char *pattern)
{
    char bytes[1001];

    memset(bytes, 'x', sizeof(bytes) - 1);
    bytes[sizeof(bytes) - 1] = '\0';
    for (; *pattern != '\0'; pattern++)
        ck_assert_int_eq(*pattern == '@' ? hf_buf_add_str(text, bytes) : hf_buf_add(text, pattern, 1), 0);
}

START_TEST(bomb_of_bytes)
{
    static const struct hf_json_limits limits = {.max_bytes = 9900};
    struct hf_err err = HF_ERR_INIT;

    for (int more = 0; more < 2; more++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(9900);
        _cleanup_(hf_json_freep) json_t *json = NULL;
        add_long(&text, long_ones[_i].begin);
        for (int i = 0; i < long_ones[_i].fits + more; i++)
            add_long(&text, long_ones[_i].repeat);
        add_long(&text, long_ones[_i].end);
        int r = hf_yaml_parse_all(hf_buf_view(&text), &limits, &json, &err);
        ck_assert_msg(r == (more ? -E2BIG : 0), "%d more: %d %s", more, r, err.cause);
    }
    ck_assert_msg(strstr(err.cause, ": more than 9900 bytes in keys and values (aliases count expanded)") != NULL, "%s",
                  err.cause);
    ck_assert_msg(strncmp(err.cause, "line ", 5) == 0, "%s", err.cause);
}
END_TEST

/* Within max_bytes, but made to take long: refused or read in a moment. */
START_TEST(time_is_bounded)
{
    _cleanup_(hf_buf_done) struct hf_buf tags = HF_BUF_INIT(4 << 20), anchors = HF_BUF_INIT(4 << 20);
    json_t *json = NULL;
    struct hf_err err = HF_ERR_INIT;

    for (int i = 0; i < 200000; i++)
        ck_assert_int_eq(hf_buf_addf(&tags, "%%TAG !a%d! x:\n", i), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&tags), NULL, &json, &err), -E2BIG);
    ck_assert_str_eq(err.cause, "more than 16 %TAG directives");
    for (int i = 200000; i > 0; i--)
        ck_assert_int_eq(hf_buf_addf(&anchors, "- &a%06d x\n", i), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&anchors), NULL, &json, &err), -E2BIG);
    ck_assert_str_eq(err.cause, "line 1001 column 3: more than 1000 anchors");
}
END_TEST

START_TEST(stream)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1000);

    ck_assert_int_eq(hf_yaml_parse_all(HF_VIEW("a: 1\n---\n---\n# x\n---\n[b]\n"), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_json_format(json, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), "[{\"a\":1},[\"b\"]]");
}
END_TEST

START_TEST(aliases_are_copies)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;

    ck_assert_int_eq(hf_yaml_parse(HF_VIEW("a: &x {k: 1}\nb: *x\n"), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_json_put(json, "a.k", json_integer(2)), 0);
    ck_assert_int_eq(hf_json_int_or(json, "b.k", 0), 1);
}
END_TEST

static const struct {
    const char *json;
    const char *want;
} formats[] = {
    {"{\"a\":1,\"b\":[1,2],\"c\":{\"d\":[]},\"e\":{}}", "a: 1\nb:\n- 1\n- 2\nc:\n  d: []\ne: {}\n"},
    {"[{\"a\":1,\"b\":{\"c\":2}},[3,[4]]]", "- a: 1\n  b:\n    c: 2\n- - 3\n  - - 4\n"},
    {"{\"text\":\"one\\ntwo\\n\",\"cut\":\"one\\n  two\"}", "text: |\n  one\n  two\ncut: |-\n  one\n    two\n"},
    {"[\"line\\n\\nline\"]", "- |-\n  line\n\n  line\n"},
    {"[\"yes\",\"5\",\"0755\",\"1.5\",\"true\",\"\",\"~\",\"12:30\",\"1_0\",\"2027-01-01\",\"0x1\",\".inf\",\"y\"]",
     "- \"yes\"\n- \"5\"\n- \"0755\"\n- \"1.5\"\n- \"true\"\n- \"\"\n- \"~\"\n- \"12:30\"\n- \"1_0\"\n- "
     "\"2027-01-01\"\n- \"0x1\"\n- "
     "\".inf\"\n- \"y\"\n"},
    {"[\"1.4.2\",\"/opt/x\",\"https://a.b/c?d\",\"two words\",\"a: b\",\"a #b\",\"- x\",\"...\",\"5m\",\"x:y\"]",
     "- 1.4.2\n- /opt/x\n- https://a.b/c?d\n- two words\n- \"a: b\"\n- \"a #b\"\n- \"- x\"\n- \"...\"\n- 5m\n- x:y\n"},
    {"{\"edge.codcompass.io/role\":\"compute\",\"\":1,\"5\":2}",
     "edge.codcompass.io/role: compute\n\"\": 1\n\"5\": 2\n"},
    {"\"a\\u0007\\u0085\\ufeff\xe2\x82\xac\"", "\"a\\u0007\\u0085\\uFEFF\xe2\x82\xac\"\n"},
    {"[-0.5,1e300,null,false]", "- -0.5\n- 1e300\n- null\n- false\n"},
};

START_TEST(writes)
{
    _cleanup_(hf_json_freep) json_t *json = NULL, *back = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4000);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_json_parse(hf_view_of(formats[_i].json), NULL, &json, &err) == 0, "%s", err.cause);
    ck_assert_int_eq(hf_yaml_format(json, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out), formats[_i].want);
    ck_assert_msg(hf_yaml_parse(hf_buf_view(&out), NULL, &back, &err) == 0, "%s: %s", hf_buf_str(&out), err.cause);
    ck_assert(json_equal(json, back));
}
END_TEST

START_TEST(long_keys_come_back)
{
    for (size_t n = 880; n < 1100; n += 10) {
        _cleanup_(hf_json_freep) json_t *json = json_object(), *back = NULL;
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(40000);
        _cleanup_(hf_freep) char *key = malloc(n + 1);

        memset(key, n % 20 ? 'k' : '"', n);
        key[n] = '\0';
        ck_assert_int_eq(json_object_set_new(json, key, json_pack("{s:[i]}", "x", 1)), 0);
        ck_assert_int_eq(hf_yaml_format(json, &out), 0);
        ck_assert_msg(hf_yaml_parse(hf_buf_view(&out), NULL, &back, NULL) == 0, "%zu", n);
        ck_assert(json_equal(json, back));
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parses, 0, (int)HF_LEN(good));
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(bad));
    tcase_add_loop_test(tc, quotes_nothing, 0, HF_LEN(passwords));
    tcase_add_test(tc, bomb);
    tcase_add_loop_test(tc, bomb_of_bytes, 0, (int)HF_LEN(long_ones));
    tcase_add_test(tc, time_is_bounded);
    tcase_add_test(tc, stream);
    tcase_add_test(tc, aliases_are_copies);
    tcase_add_loop_test(tc, writes, 0, (int)HF_LEN(formats));
    tcase_add_test(tc, long_keys_come_back);
}
HF_TEST_MAIN("codec/yaml", cases)
