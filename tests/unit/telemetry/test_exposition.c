/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct hf_buf scratch = HF_BUF_INIT(1 << 16);

START_TEST(samples)
{
    static const char text[] = "# HELP http_requests_total The total.\n"
                               "# TYPE http_requests_total counter\n"
                               "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                               "http_requests_total{method=\"post\",code=\"400\",} 3\n"
                               "\n"
                               "# TYPE temp gauge\n"
                               "temp_reads_total 9\n"
                               "temp{where=\"C:\\\\DIR\\\\FILE \\\"x\\\"\\n\"} -1.5e1\n"
                               "untyped 1\n"
                               "untyped_total 1\n"
                               "# TYPE lat histogram\n"
                               "lat_bucket{le=\"+Inf\"} 144320\n"
                               "lat_sum 53423\r\n"
                               "# TYPE rpc summary\n"
                               "rpc{quantile=\"0.5\"} 4773\n"
                               "rpc_count 2693\n"
                               "inf +Inf\n"
                               "with_exemplar 5 # {a=\"b\"} 1\n";
    static const struct {
        const char *name;
        double value;
        enum hf_value_kind kind;
        size_t labels;
    } want[] = {
        {"http_requests_total", 1027, HF_VALUE_COUNTER, 2},
        {"http_requests_total", 3, HF_VALUE_COUNTER, 2},
        {"temp_reads_total", 9, HF_VALUE_COUNTER, 0}, /* of another family than temp */
        {"temp", -15, HF_VALUE_GAUGE, 1},
        {"untyped", 1, HF_VALUE_GAUGE, 0},
        {"untyped_total", 1, HF_VALUE_COUNTER, 0},
        {"lat_bucket", 144320, HF_VALUE_COUNTER, 1},
        {"lat_sum", 53423, HF_VALUE_COUNTER, 0},
        {"rpc", 4773, HF_VALUE_GAUGE, 1},
        {"rpc_count", 2693, HF_VALUE_COUNTER, 0},
        {"inf", __builtin_inf(), HF_VALUE_GAUGE, 0},
        {"with_exemplar", 5, HF_VALUE_GAUGE, 0},
    };
    struct hf_exposition reader = {.rest = HF_VIEW(text), .unix_ns = 7};
    struct hf_event event = {.n_attributes = 0};

    for (size_t i = 0; i < HF_LEN(want); i++) {
        ck_assert_int_eq(hf_exposition_next(&reader, &event, &scratch), 1);
        ck_assert_msg(hf_view_eq(event.name, want[i].name), "%.*s", (int)event.name.n, event.name.p);
        ck_assert_msg(event.value == want[i].value && event.value_kind == want[i].kind &&
                          event.n_attributes == want[i].labels,
                      "%s: %g %d %zu", want[i].name, event.value, event.value_kind, event.n_attributes);
        ck_assert_uint_eq(event.unix_ns, i == 0 ? 1395066363000000000u : 7);
        if (i == 3)
            ck_assert(hf_view_eq(event.attributes[0].value, "C:\\DIR\\FILE \"x\"\n"));
    }
    ck_assert_int_eq(hf_exposition_next(&reader, &event, &scratch), 0);
    for (size_t i = 0; i < HF_SKIPS; i++)
        ck_assert_uint_eq(reader.skipped[i], 0);
    hf_buf_done(&scratch);
}
END_TEST

#define L5(n) "l" n "0=\"\",l" n "1=\"\",l" n "2=\"\",l" n "3=\"\",l" n "4=\"\","
#define L20 L5("a") L5("b") L5("c") L5("d")

static const struct {
    const char *text;
    enum hf_exposition_skip why;
} bad[] = {
    {"1name 1", HF_SKIP_LINE},
    {"na-me 1", HF_SKIP_LINE},
    {"name", HF_SKIP_LINE},
    {"name x", HF_SKIP_LINE},
    {"name 1 x", HF_SKIP_LINE},
    {"name{a=1} 1", HF_SKIP_LINE},
    {"name{a=\"1} 1", HF_SKIP_LINE},
    {"name{a=\"1\"", HF_SKIP_LINE},
    {"name{a=\"1\" 1", HF_SKIP_LINE},
    {"name{=\"1\"} 1", HF_SKIP_LINE},
    {"name{a=\"1\"b=\"2\"} 1", HF_SKIP_LINE},
    {"name{1a=\"1\"} 1", HF_SKIP_LINE},
    {"name NaN", HF_SKIP_NAN},
    {"{a=\"1\"} 1", HF_SKIP_LINE},
    {"name{a=\"\\", HF_SKIP_LINE},
    {"name 1 -5", HF_SKIP_LINE},
    {"<html>", HF_SKIP_LINE},
    {"name 1e", HF_SKIP_LINE},
    {"name nan", HF_SKIP_NAN},
    {"name{a=\"1\"} -NaN 1395066363000", HF_SKIP_NAN},
    {"{\"my.metric\",a=\"1\"} 1", HF_SKIP_LINE},
    {"name{\"a.b\"=\"1\"} 1", HF_SKIP_LINE},
    {"name{" L20 L5("e") "} 1", HF_SKIP_LABELS},
    {"name{" L20 L5("e") "} NaN", HF_SKIP_LABELS},
    {"name{" L20 L5("e") "} x", HF_SKIP_LINE},
    {"name 1_000", HF_SKIP_LINE},
    {"name 1,5", HF_SKIP_LINE},
    {"name{a=\"1\",,b=\"2\"} 1", HF_SKIP_LINE},
    {"name{,a=\"1\"} 1", HF_SKIP_LINE},
    {"name{a:b=\"1\"} 1", HF_SKIP_LINE},
    {"name 1 1795161600000 2", HF_SKIP_LINE},
    {"HTTP/1.1 200 OK", HF_SKIP_LINE},
};

/* What is written in other ways than most exporters write it, and is a sample nevertheless. */
static const struct {
    const char *text, *name, *label; /* value of the first label; NULL: there is none */
    double value;
} odd[] = {
    {"a{b=\"}\"} 1\n", "a", "}", 1},
    {"a{b=\" # \"} 2\n", "a", " # ", 2},
    {"a{b=\"x\"}3\n", "a", "x", 3},
    {"a{ b = \"x\" , } 4\n", "a", "x", 4},
    {"\ta\t5\n", "a", NULL, 5},
    {"a{} 6\n", "a", NULL, 6},
    {"a 7", "a", NULL, 7},
    {"a +8\n", "a", NULL, 8},
    {"a 9.\n", "a", NULL, 9},
    {"job:rate:5m 10\n", "job:rate:5m", NULL, 10},
    {"a{b=\"\xc3\xa4\"} 11\r\n", "a", "\xc3\xa4", 11},
    {"\xef\xbb\xbf"
     "a 12\n",
     "a", NULL, 12},
    {"\xef\xbb\xbf# TYPE a gauge\na 13\n", "a", NULL, 13},
    {"\n\n#\n# HELP\n# TYPE\na 14\n", "a", NULL, 14},
};

START_TEST(takes_odd_lines)
{
    struct hf_exposition reader = {.rest = hf_view_of(odd[_i].text), .unix_ns = 7};
    struct hf_event event = {.n_attributes = 0};

    ck_assert_msg(hf_exposition_next(&reader, &event, &scratch) == 1, "%s", odd[_i].text);
    ck_assert_msg(hf_view_eq(event.name, odd[_i].name) && event.value == odd[_i].value, "%s: %g", odd[_i].text,
                  event.value);
    ck_assert_uint_eq(event.n_attributes, odd[_i].label != NULL);
    ck_assert(odd[_i].label == NULL || hf_view_eq(event.attributes[0].value, odd[_i].label));
    for (size_t i = 0; i < HF_SKIPS; i++)
        ck_assert_msg(reader.skipped[i] == 0, "%s", odd[_i].text);
    hf_buf_done(&scratch);
}
END_TEST

START_TEST(skips)
{
    size_t n = strlen(bad[_i].text);
    char *copy = malloc(n);
    struct hf_event event = {.n_attributes = 0};

    memcpy(copy, bad[_i].text, n);
    struct hf_exposition reader = {.rest = {copy, n}};
    ck_assert_msg(hf_exposition_next(&reader, &event, &scratch) == 0 && reader.skipped[bad[_i].why] == 1, "%s",
                  bad[_i].text);
    free(copy);
    hf_buf_done(&scratch);
}
END_TEST

static const struct {
    const char *text, *content_type;
    uint64_t want_ns;
} stamps[] = {
    {"a 1 1795161600000\n", "text/plain; version=0.0.4", 1795161600000000000u},
    {"a 1 1795161600.5\n# EOF\n", "", 1795161600500000000u},
    {"a 1 1795161600\n", "application/openmetrics-text; version=1.0.0; charset=utf-8", 1795161600000000000u},
    {"a 1 1.7951616e9\n# EOF", "text/plain", 1795161600000000000u},
    {"a{" L20 "l=\"24th\",m=\"\",n=\"\",o=\"\"} 1\n# EOF\n", "", 7},
    {"# EOF\na 1 1795161600000\n", "text/plain", 1795161600000000000u}, /* a comment in the middle is no end */
};

START_TEST(stamp)
{
    struct hf_exposition reader = {.rest = hf_view_of(stamps[_i].text), .unix_ns = 7};
    struct hf_event event = {.n_attributes = 0};

    reader.openmetrics = hf_exposition_is_openmetrics(reader.rest, stamps[_i].content_type);
    ck_assert_int_eq(hf_exposition_next(&reader, &event, &scratch), 1);
    ck_assert_msg(event.unix_ns == stamps[_i].want_ns, "%s: %ju", stamps[_i].text, (uintmax_t)event.unix_ns);
    hf_buf_done(&scratch);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, samples);
    tcase_add_loop_test(tc, stamp, 0, (int)HF_LEN(stamps));
    tcase_add_loop_test(tc, takes_odd_lines, 0, (int)HF_LEN(odd));
    tcase_add_loop_test(tc, skips, 0, (int)HF_LEN(bad));
}

HF_TEST_MAIN("telemetry/exposition", cases)
