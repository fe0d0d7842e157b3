/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/redact.h"

#include <errno.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "support/check_main.h"

#define V(text) HF_VIEW(text)

static const struct hf_telemetry_redact rules[] = {{.field = "pw", .action = HF_REDACT_MASK},
                                                   {.field = "rm", .action = HF_REDACT_REMOVE},
                                                   {.field = "hash", .action = HF_REDACT_HASH}};
static struct hf_redactor redactor;

static const struct {
    const char *in, *want; /* want NULL: unchanged */
    bool truncated;
} bodies[] = {
    {"", NULL, false},
    {"pw", NULL, false},
    {"{}", NULL, false},
    {"{\"a\":\"pw\"}", NULL, false},
    {"[\"pw\",\"rm\"]", NULL, false},
    {"{\"pw\":1}", "{\"pw\":\"***\"}", false},
    {" { \"pw\" : {\"a\":[1,2]} , \"b\":1 } ", " { \"pw\" : \"***\" , \"b\":1 } ", false},
    {"{\"p\\u0077\":\"x\"}", "{\"p\\u0077\":\"***\"}", false},
    {"{\"PW\":1}", NULL, false},
    {"{\"rm\":1}", "{}", false},
    {"{ \"rm\" : 1 }", "{  }", false},
    {"{\"rm\":1,\"a\":2}", "{\"a\":2}", false},
    {"{\"a\":2,\"rm\":1}", "{\"a\":2}", false},
    {"{\"a\":2,\"rm\":1,\"b\":3}", "{\"a\":2,\"b\":3}", false},
    {"{\"rm\":1,\"rm\":2,\"a\":3}", "{\"a\":3}", false},
    {"{\"a\":3,\"rm\":1,\"rm\":2}", "{\"a\":3}", false},
    {"{\"a\":3,\"rm\":1,\"rm\":2,\"b\":4}", "{\"a\":3,\"b\":4}", false},
    {"{\"rm\":1,\"pw\":2,\"rm\":3}", "{\"pw\":\"***\"}", false},
    {"{\"rm\":[{\"rm\":1}],\"a\":[{\"rm\":1,\"x\":{\"pw\":null}},2]}", "{\"a\":[{\"x\":{\"pw\":\"***\"}},2]}", false},
    /* sha256 of abc and of 12 */
    {"{\"hash\":\"abc\"}", "{\"hash\":\"sha256:ba7816bf8f01cfea414140de5dae2223\"}", false},
    {"{\"hash\":\"\\u0061bc\"}", "{\"hash\":\"sha256:ba7816bf8f01cfea414140de5dae2223\"}", false},
    {"{\"hash\": 12}", "{\"hash\": \"sha256:6b51d431df5d7f141cbececcf79edf3d\"}", false},
    /* JSON that breaks off: kept up to there */
    {"[info] pw: changed", NULL, false},
    {"[2026-11-20] C:\\users\\x", NULL, false},
    {"{'pw': 'x'}", "{", true},
    {"{pw: 1}", "{", true},
    {"['pw', 1]", "[", true},
    {"{\"a\": NaN, \"b\": 1}", NULL, false},
    {"{\"a\": NaN, \"pw\": \"x\"}", "{\"a\": ", true},
    {"{\"a\": -Infinity, \"p\\u0077\": \"x\"}", "{\"a\": ", true},
    {"{\"a\": \"1\t2\", \"pw\": \"x\"}", "{\"a\": \"1", true},
    {"{\"a\": \"\xff\", \"pw\": \"x\"}", "{\"a\": \"", true},
    {"{\"a\": 01, \"pw\": \"x\"}", "{\"a\": 0", true},
    {"{\"a\": 1, // c\n\"pw\": \"x\"}", "{\"a\": 1, ", true},
    {"{\"a\": 1}{\"pw\": \"x\"}", "{\"a\": 1}{\"pw\": \"***\"}", false},
    {"{\"a\": 1}\n[{\"pw\": \"x\"}]\n", "{\"a\": 1}\n[{\"pw\": \"***\"}]\n", false},
    {"{\"a\": 1} {\"b\": NaN, \"pw\": \"x\"}", "{\"a\": 1} {\"b\": ", true},
    {"{\"a\": 1} x {\"pw\": \"x\"}", "{\"a\": 1} ", true},
    {"{\"a\": 1} x {\"b\": \"x\"}", NULL, false},
    {"\xef\xbb\xbf{\"pw\": \"x\"}", "\xef\xbb\xbf{\"pw\": \"***\"}", false},
    {"{\"a\":1,\"pw\":\"secr", "{\"a\":1,", true},
    {"{\"a\":1,\"pw\":\"x\",\"b\":tru", "{\"a\":1,\"pw\":\"***\",\"b\":", true},
    {"{\"pw\":\"x\",}", "{\"pw\":\"***\",", true},
    {"{\"a\" \"b\", \"pw\":\"x\"}", "{\"a\" ", true},
    {"{\"a\":tru,\"pw\":\"x\"}", "{\"a\":", true},
    {"{\"a\":0x1,\"pw\":\"x\"}", "{\"a\":0", true},
    {"{\"pw\":{\"a\":[1,{\"b\":2}]},\"c\":3}", "{\"pw\":\"***\",\"c\":3}", false},
    {"{\"pw\":\"x\"} and pw=y", "{\"pw\":\"***\"} ", true},
    {"{\"pw\":\"x\"}{\"pw\":\"y\"}", "{\"pw\":\"***\"}{\"pw\":\"***\"}", false},
};

START_TEST(rewrites_bodies)
{
    struct hf_event event = {.kind = HF_EVENT_LOG, .body = hf_view_of(bodies[_i].in)};
    const char *want = bodies[_i].want != NULL ? bodies[_i].want : bodies[_i].in;

    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    ck_assert_int_eq(hf_redact_body(&redactor, &event), 0);
    ck_assert_msg(hf_view_eq(event.body, want), "%s:\n want %s\n got  %.*s", bodies[_i].in, want, (int)event.body.n,
                  event.body.p);
    ck_assert(event.truncated == bodies[_i].truncated);
    ck_assert(bodies[_i].want != NULL || event.body.p == bodies[_i].in);
    hf_redactor_done(&redactor);
}
END_TEST

START_TEST(rewrites_attributes)
{
    struct hf_event event = {
        .attributes = {{V("rm"), V("1")}, {V("a"), V("2")}, {V("hash"), V("abc")}, {V("pw"), V("")}, {V("rm"), V("3")}},
        .n_attributes = 5};

    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    hf_redact_attributes(&redactor, &event);
    ck_assert_uint_eq(event.n_attributes, 3);
    ck_assert(hf_view_eq(event.attributes[0].name, "a") && hf_view_eq(event.attributes[0].value, "2"));
    ck_assert(hf_view_eq(event.attributes[1].value, "sha256:ba7816bf8f01cfea414140de5dae2223"));
    ck_assert(hf_view_eq(event.attributes[2].value, "***"));
    hf_redactor_done(&redactor);
}
END_TEST

START_TEST(keeps_the_checksum_true)
{
    struct hf_event event = {.kind = HF_EVENT_PAYLOAD, .body = V("{\"a\":1}"), .checksum = V("mine")};
    char hex[HF_SHA256_HEX];

    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    ck_assert_int_eq(hf_redact_body(&redactor, &event), 0);
    ck_assert(hf_view_eq(event.checksum, "mine"));
    event.body = V("{\"pw\":1}");
    ck_assert_int_eq(hf_redact_body(&redactor, &event), 0);
    ck_assert(hf_view_eq(event.checksum, hf_sha256_hex(event.body.p, event.body.n, hex)));
    event = (struct hf_event){.kind = HF_EVENT_PAYLOAD, .body = V("{\"pw\":1}")};
    ck_assert_int_eq(hf_redact_body(&redactor, &event), 0);
    ck_assert_uint_eq(event.checksum.n, 0);
    hf_redactor_done(&redactor);
}
END_TEST

START_TEST(refuses_what_grows_too_large)
{
    static char text[HF_EVENT_MAX_BODY];
    struct hf_event event = {.kind = HF_EVENT_PAYLOAD, .body = {text, sizeof(text)}};
    size_t n = 0;

    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    memset(text, ' ', sizeof(text));
    text[n++] = '[';
    while (n + 10 < sizeof(text)) {
        memcpy(text + n, "{\"pw\":1},", 9);
        n += 9;
    }
    text[n - 1] = ']';
    ck_assert_int_eq(hf_redact_body(&redactor, &event), -E2BIG);
    hf_redactor_done(&redactor);
}
END_TEST

/* ---- random JSON: what comes out is JSON, holds no such member, and all else as it was --------------------------- */

static uint64_t seed = 4711;

static uint64_t below(uint64_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % bound;
}

static void add(struct hf_buf *out, const char *text)
{
    ck_assert_int_eq(hf_buf_add_str(out, text), 0);
}

static void random_json(struct hf_buf *out, unsigned depth)
{
    static const char *const scalars[] = {"1",      "-2.5e3",     "true",         "null",
                                          "\"pw\"", "\"a\\\"b\"", "\"\xc3\xa4\"", "\"\""};
    static const char *const names[] = {"pw", "rm", "hash", "p\\u0077", "a", "b", "c\\n", "rm2"};
    static const char *const blanks[] = {"", "", " ", "\n\t"};
    uint64_t kind = depth == 0 ? 2 : below(3), n = below(4);

    if (kind == 2) {
        add(out, scalars[below(HF_LEN(scalars))]);
        return;
    }
    add(out, kind == 0 ? "{" : "[");
    for (uint64_t i = 0; i < n; i++) {
        add(out, i > 0 ? "," : "");
        add(out, blanks[below(4)]);
        if (kind == 0) {
            ck_assert_int_eq(hf_buf_addf(out, "\"%s\"", names[below(HF_LEN(names))]), 0);
            add(out, blanks[below(4)]);
            add(out, ":");
        }
        add(out, blanks[below(4)]);
        random_json(out, depth - 1);
        add(out, blanks[below(4)]);
    }
    add(out, kind == 0 ? "}" : "]");
}

/* The expected body, built from a JSON tree. */
static void redact_tree(json_t *json)
{
    void *next;
    json_t *value;
    const char *key;
    size_t i;

    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
            redact_tree(value);
        return;
    }
    for (void *at = json_object_iter(json); at != NULL; at = next) {
        next = json_object_iter_next(json, at);
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        if (strcmp(key, "pw") == 0) {
            (void)json_object_iter_set_new(json, at, json_string("***"));
        } else if (strcmp(key, "rm") == 0) {
            (void)json_object_del(json, key);
            next = json_object_iter(json);
        } else if (strcmp(key, "hash") == 0 && !json_is_string(value)) {
            (void)json_object_iter_set_new(json, at, json_string("#"));
        } else if (strcmp(key, "hash") == 0) {
            (void)json_object_iter_set_new(json, at, json_string("#"));
        } else {
            redact_tree(value);
        }
    }
}

/* Hash depends on the text of a value; the table above tests it. */
static void blank_hashes(json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
            blank_hashes(value);
        return;
    }
    json_object_foreach(json, key, value) {
        if (strcmp(key, "hash") == 0) {
            ck_assert(strncmp(json_string_value(value), "sha256:", 7) == 0 &&
                      json_string_length(value) == HF_REDACT_HASH_TEXT);
            (void)json_string_set(value, "#");
        } else {
            blank_hashes(value);
        }
    }
}

START_TEST(agrees_with_the_slow_way)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    unsigned changed = 0;

    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    for (int i = 0; i < 5000; i++) {
        _cleanup_(hf_json_freep) json_t *want = NULL, *got = NULL;
        hf_buf_clear(&text);
        random_json(&text, 5);
        struct hf_event event = {.kind = HF_EVENT_PAYLOAD, .body = hf_buf_view(&text)};
        struct hf_scan scan;
        hf_scan_init_loose(&scan, event.body);
        ck_assert_msg(hf_scan_raw(&scan, NULL) == 0 && hf_scan_end(&scan) == 0, "%s", text.p);
        ck_assert_int_eq(hf_redact_body(&redactor, &event), 0);
        hf_scan_init_loose(&scan, event.body);
        ck_assert_msg(hf_scan_raw(&scan, NULL) == 0 && hf_scan_end(&scan) == 0 && !event.truncated, "%s\n%.*s", text.p,
                      (int)event.body.n, event.body.p);
        changed += event.body.p != text.p;
        if (text.p[0] != '{' && text.p[0] != '[')
            continue;
        if (hf_json_parse(hf_buf_view(&text), NULL, &want, NULL) < 0) /* a duplicate key, which a tree cannot hold */
            continue;
        redact_tree(want);
        ck_assert_int_eq(hf_json_parse(event.body, NULL, &got, NULL), 0);
        blank_hashes(got);
        ck_assert_msg(json_equal(want, got), "%s\n%.*s", text.p, (int)event.body.n, event.body.p);
    }
    ck_assert_uint_gt(changed, 500);
    hf_redactor_done(&redactor);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, rewrites_bodies, 0, (int)HF_LEN(bodies));
    tcase_add_test(tc, rewrites_attributes);
    tcase_add_test(tc, keeps_the_checksum_true);
    tcase_add_test(tc, refuses_what_grows_too_large);
    tcase_add_test(tc, agrees_with_the_slow_way);
}
HF_TEST_MAIN("telemetry/redact", cases)
