/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/cri.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *line;
    bool want;
    bool is_stderr, partial;
    const char *text;
} lines[] = {
    {"2026-11-20T08:00:00.123456789Z stdout F hello", true, false, false, "hello"},
    {"2026-11-20T08:00:00.123456789Z stderr P hel", true, true, true, "hel"},
    {"2026-11-20T09:00:00.123456789+01:00 stdout F  two  blanks ", true, false, false, " two  blanks "},
    {"2026-11-20T08:00:00Z stdout F ", true, false, false, ""},
    {"2026-11-20T08:00:00Z stdout F", true, false, false, ""},
    {"2026-11-20T08:00:00Z stdout F:x y", true, false, false, "y"},
    {"2026-11-20T08:00:00Z stdout P:x y", true, false, true, "y"},
    {"", false, false, false, ""},
    {"hello", false, false, false, ""},
    {"2026-11-20T08:00:00Z", false, false, false, ""},
    {"2026-11-20T08:00:00Z stdout", false, false, false, ""},
    {"2026-11-20T08:00:00Z stdin F x", false, false, false, ""},
    {"2026-11-20T08:00:00Z stdout X x", false, false, false, ""},
    {"2026-11-20T08:00:00Z stdout FX x", false, false, false, ""},
    {"yesterday stdout F x", false, false, false, ""},
    {"2026-11-20T08:00:00Z  stdout F x", false, false, false, ""},
    {"{\"log\":\"docker\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T08:00:00Z\"}", false, false, false, ""},
};

START_TEST(line)
{
    size_t n = strlen(lines[_i].line);
    char *copy = malloc(n > 0 ? n : 1);
    struct hf_cri_line got = {.unix_ns = 1};

    memcpy(copy, lines[_i].line, n);
    bool r = hf_cri_parse((struct hf_view){copy, n}, &got);
    ck_assert_msg(r == lines[_i].want, "'%s'", lines[_i].line);
    if (r) {
        ck_assert(got.is_stderr == lines[_i].is_stderr && got.partial == lines[_i].partial);
        ck_assert_msg(hf_view_eq(got.text, lines[_i].text), "'%.*s'", (int)got.text.n, got.text.p);
        ck_assert_uint_eq(got.unix_ns / 1000000000u, 1795161600u);
    }
    free(copy);
}
END_TEST

#define DOCKER_AT "\"time\":\"2026-11-20T08:00:00.123456789Z\""

static const struct {
    const char *line;
    bool want;
    bool is_stderr, partial;
    const char *text;
} docker_lines[] = {
    {"{\"log\":\"docker\\n\",\"stream\":\"stdout\"," DOCKER_AT "}", true, false, false, "docker"},
    {"{\"log\":\"a \\\"b\\\"\\r\\n\",\"stream\":\"stderr\"," DOCKER_AT "}", true, true, false, "a \"b\""},
    {"{\"log\":\"a part\",\"stream\":\"stdout\"," DOCKER_AT "}", true, false, true, "a part"},
    {"{" DOCKER_AT ",\"attrs\":{\"x\":\"1\"},\"stream\":\"stdout\",\"log\":\"\\n\"}", true, false, false, ""},
    {"{\"log\":\"\\u001b[31mred\\n\",\"stream\":\"stderr\"," DOCKER_AT "}", true, true, false, "\x1b[31mred"},
    {"{\"log\":\"x\\n\",\"stream\":\"stdin\"," DOCKER_AT "}", false, false, false, ""},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\"}", false, false, false, ""},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":1795161600}", false, false, false, ""},
    {"{\"log\":1,\"stream\":\"stdout\"," DOCKER_AT "}", false, false, false, ""},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\"," DOCKER_AT, false, false, false, ""},
    {"{\"message\":\"the application's own\"}", false, false, false, ""},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T09:00:00.123456789+01:00\"}", true, false, false,
     "x"},
    {"{\"log\":\"two\\nlines\\n\",\"stream\":\"stdout\"," DOCKER_AT "}", true, false, false, "two\nlines"},
    {"{\"log\":\"\",\"stream\":\"stdout\"," DOCKER_AT "}", true, false, true, ""},
    {"{\"log\":\"\\u00e4\\ud83d\\ude00\\n\",\"stream\":\"stdout\"," DOCKER_AT "}", true, false, false,
     "\xc3\xa4\xf0\x9f\x98\x80"},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\"," DOCKER_AT "} \r", true, false, false, "x"},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\"," DOCKER_AT "}{}", false, false, false, ""},
    {"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-02-30T08:00:00Z\"}", false, false, false, ""},
    {"[{\"log\":\"x\\n\",\"stream\":\"stdout\"," DOCKER_AT "}]", false, false, false, ""},
    {"", false, false, false, ""},
};

START_TEST(docker_line)
{
    struct hf_buf scratch = HF_BUF_INIT(1 << 16);
    struct hf_cri_line got = {.unix_ns = 1};

    bool r = hf_cri_parse_docker(hf_view_of(docker_lines[_i].line), &scratch, &got);
    ck_assert_msg(r == docker_lines[_i].want, "'%s'", docker_lines[_i].line);
    if (r) {
        ck_assert(got.is_stderr == docker_lines[_i].is_stderr && got.partial == docker_lines[_i].partial);
        ck_assert_msg(hf_view_eq(got.text, docker_lines[_i].text), "'%.*s'", (int)got.text.n, got.text.p);
        ck_assert_uint_eq(got.unix_ns, 1795161600123456789u);
    }
    hf_buf_done(&scratch);
}
END_TEST

START_TEST(pods)
{
    static const struct {
        const char *folder;
        bool want;
    } rows[] = {
        {"kube-system_coredns-5d78c9869d-abcde_0a1b2c3d-0000-1111-2222-333344445555", true},
        {"a_b_c", true},
        {"a_b", false},
        {"a_b_c_d", false},
        {"_b_c", false},
        {"a__c", false},
        {"a_b_", false},
        {"", false},
        {"a", false},
    };
    struct hf_cri_pod pod;

    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_cri_pod_parse(hf_view_of(rows[i].folder), &pod) == rows[i].want, "%s", rows[i].folder);
    ck_assert(hf_cri_pod_parse(hf_view_of("kube-system_coredns-1_u-2"), &pod));
    ck_assert(hf_view_eq(pod.space, "kube-system") && hf_view_eq(pod.name, "coredns-1") && hf_view_eq(pod.uid, "u-2"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, line, 0, (int)HF_LEN(lines));
    tcase_add_loop_test(tc, docker_line, 0, (int)HF_LEN(docker_lines));
    tcase_add_test(tc, pods);
}

HF_TEST_MAIN("telemetry/cri", cases)
