/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms, most frequent values, and the summary of one series over one window. */
#include "telemetry/pipeline/aggregate.h"

#include <math.h>

#include "codec/json.h"
#include "support/check_main.h"
#include "telemetry/pipeline/topk.h"

static struct hf_buf text = HF_BUF_INIT(1 << 20);
static uint64_t seed = 99;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static double unit(void)
{
    return (double)(next_random() >> 11) / 9007199254740992.0;
}

/* ---- histogram --------------------------------------------------------------------------------------------------- */

static uint64_t sum_of(const struct hf_histogram_range *range)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < range->n; i++)
        sum += range->counts[i];
    return sum;
}

/* The bucket of a value must have the value between its bounds, within rounding. */
static void check_borders(const struct hf_histogram *histogram, double value)
{
    const struct hf_histogram_range *range = value > 0 ? &histogram->positive : &histogram->negative;
    double base = ldexp(1, -histogram->scale), at = log2(fabs(value)) / base;
    int32_t index = (int32_t)ceil(at - 1e-6) - 1, near = (int32_t)ceil(at + 1e-6) - 1;
    bool found = false;

    for (int32_t i = index; i <= near; i++)
        found =
            found || (i >= range->first && i < range->first + (int32_t)range->n && range->counts[i - range->first] > 0);
    ck_assert_msg(found, "%g is in no bucket of scale %d", value, histogram->scale);
}

static const struct {
    const char *name;
    double low, high; /* log-uniform */
    int least_scale;
} spreads[] = {
    {"one value", 5, 5, 20}, {"close together", 100, 101, 13},   {"a factor of ten", 1, 10, 5},
    {"wide", 1e-3, 1e6, 2},  {"all doubles", 1e-300, 1e300, -4},
};

START_TEST(keeps_distributions)
{
    static struct hf_histogram histogram;
    static double values[2000];
    double sum = 0;

    hf_histogram_clear(&histogram);
    for (size_t i = 0; i < HF_LEN(values); i++) {
        double sign = i % 3 == 0 ? -1 : 1;
        values[i] = sign * exp(log(spreads[_i].low) + unit() * (log(spreads[_i].high) - log(spreads[_i].low)));
        sum += values[i];
        hf_histogram_add(&histogram, values[i]);
    }
    ck_assert_uint_eq(histogram.count, HF_LEN(values));
    ck_assert_uint_eq(sum_of(&histogram.positive) + sum_of(&histogram.negative), HF_LEN(values));
    ck_assert(fabs(histogram.sum - sum) <= fabs(sum) * 1e-9 + 1e-9);
    ck_assert_msg(histogram.scale >= spreads[_i].least_scale, "%s: %d", spreads[_i].name, histogram.scale);
    ck_assert(histogram.positive.n <= HF_HISTOGRAM_BUCKETS && histogram.negative.n <= HF_HISTOGRAM_BUCKETS);
    for (size_t i = 0; i < HF_LEN(values); i++)
        check_borders(&histogram, values[i]);
}
END_TEST

/* Powers of two are upper bounds at every scale: (2^(i/2^s), 2^((i+1)/2^s)]. */
START_TEST(is_exact_at_borders)
{
    static struct hf_histogram histogram;

    hf_histogram_clear(&histogram);
    hf_histogram_add(&histogram, 1);
    ck_assert_int_eq(histogram.positive.first, -1);
    ck_assert_int_eq(histogram.scale, HF_HISTOGRAM_MAX_SCALE);
    hf_histogram_add(&histogram, 1e-300);
    hf_histogram_add(&histogram, 1e300);
    ck_assert_int_eq(histogram.scale, -4); /* 2^16 a bucket: 1993 powers of two in 160 */
    hf_histogram_clear(&histogram);
    for (int i = -80; i <= 79; i++)
        hf_histogram_add(&histogram, ldexp(1, i));
    ck_assert_int_eq(histogram.scale, 0);
    ck_assert_int_eq(histogram.positive.first, -81);
    ck_assert_uint_eq(histogram.positive.n, 160);
    for (uint32_t i = 0; i < 160; i++)
        ck_assert_uint_eq(histogram.positive.counts[i], 1);
    hf_histogram_add(&histogram, 0);
    hf_histogram_add(&histogram, -0.0);
    ck_assert_uint_eq(histogram.zeros, 2);
    hf_histogram_add(&histogram, 5e-324);
    hf_histogram_add(&histogram, 1.7976931348623157e308);
    ck_assert_uint_eq(sum_of(&histogram.positive), 162);
}
END_TEST

START_TEST(writes_histograms)
{
    static struct hf_histogram histogram;

    hf_histogram_clear(&histogram);
    hf_buf_clear(&text);
    ck_assert_int_eq(hf_histogram_format(&histogram, &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), "{\"count\":0,\"sum\":0,\"scale\":20,\"zeroCount\":0}");
    hf_histogram_add(&histogram, -2);
    hf_histogram_add(&histogram, 0);
    hf_histogram_add(&histogram, 4);
    hf_histogram_add(&histogram, 4);
    hf_buf_clear(&text);
    ck_assert_int_eq(hf_histogram_format(&histogram, &text), 0);
    ck_assert_str_eq(
        hf_buf_str(&text),
        "{\"count\":4,\"sum\":6,\"min\":-2,\"max\":4,\"scale\":20,\"zeroCount\":1,\"positive\":{\"offset\":"
        "2097151,\"counts\":[2]},\"negative\":{\"offset\":1048575,\"counts\":[1]}}");
}
END_TEST

/* ---- top k ------------------------------------------------------------------------------------------------------- */

START_TEST(finds_frequent_values)
{
    enum { VALUES = 5000, EVENTS = 100000 };
    static uint64_t truth[VALUES];
    struct hf_topk top;
    char name[32];

    ck_assert_int_eq(hf_topk_init(&top, 10), 0);
    for (int i = 0; i < EVENTS; i++) {
        size_t v = (size_t)(VALUES * pow(unit(), 8)); /* a few values are frequent */
        truth[v]++;
        hf_topk_add(&top, HF_VIEW(""), (struct hf_view){name, (size_t)snprintf(name, sizeof(name), "value-%zu", v)});
    }
    hf_topk_sort(&top);
    ck_assert_uint_eq(top.total, EVENTS);
    for (size_t i = 0; i < top.n; i++) {
        struct hf_view value = hf_topk_value(&top.entries[i]);
        (void)snprintf(name, sizeof(name), "%.*s", (int)value.n, value.p);
        size_t v = (size_t)strtoul(name + 6, NULL, 10);
        ck_assert(hf_view_starts(value, "value-") && hf_topk_boundary(&top.entries[i]).n == 0);
        ck_assert_msg(top.entries[i].count >= truth[v] && top.entries[i].count - top.entries[i].error <= truth[v],
                      "%zu: %ju, error %ju, is %ju", v, (uintmax_t)top.entries[i].count,
                      (uintmax_t)top.entries[i].error, (uintmax_t)truth[v]);
    }
    for (size_t v = 0; v < VALUES; v++) { /* a value with more than 1/n of the occurrences is present */
        bool found = truth[v] <= EVENTS / top.size;
        (void)snprintf(name, sizeof(name), "value-%zu", v);
        for (size_t i = 0; i < top.n; i++)
            found = found || hf_view_eq(hf_topk_value(&top.entries[i]), name);
        ck_assert_msg(found, "%s is missing", name);
    }
    hf_topk_done(&top);
}
END_TEST

START_TEST(keeps_boundaries_apart)
{
    static char wide[300];
    struct hf_topk top;

    ck_assert_int_eq(hf_topk_init(&top, 1), 0);
    hf_topk_add(&top, HF_VIEW("eu"), HF_VIEW("a"));
    hf_topk_add(&top, HF_VIEW(""), HF_VIEW("a"));
    hf_topk_add(&top, HF_VIEW("eu"), HF_VIEW("a"));
    for (size_t i = 0; i < sizeof(wide); i++)
        wide[i] = "\xe2\x82\xac"[i % 3];
    hf_topk_add(&top, HF_VIEW("us"), (struct hf_view){wide, sizeof(wide)});
    hf_topk_sort(&top);
    ck_assert_uint_eq(top.n, 3);
    ck_assert(hf_view_eq(hf_topk_boundary(&top.entries[0]), "eu") && hf_view_eq(hf_topk_value(&top.entries[0]), "a"));
    ck_assert_uint_eq(top.entries[0].count, 2);
    for (size_t i = 1; i < 3; i++) /* truncated between two characters */
        if (hf_topk_boundary(&top.entries[i]).n > 0)
            ck_assert_uint_eq(hf_topk_value(&top.entries[i]).n % 3, 0);
    hf_topk_clear(&top);
    ck_assert_uint_eq(top.n, 0);
    hf_topk_done(&top);
}
END_TEST

/* ---- one series -------------------------------------------------------------------------------------------------- */

static const struct {
    enum hf_value_kind kind;
    double values[6];
    size_t n;
    double want;
    const char *summary;
} windows[] = {
    {HF_VALUE_GAUGE, {3, 1, 2}, 3, 2, "{\"count\":3,\"sum\":6,\"min\":1,\"max\":3,\"mean\":2}"},
    {HF_VALUE_GAUGE, {-1.5}, 1, -1.5, "{\"count\":1,\"sum\":-1.5,\"min\":-1.5,\"max\":-1.5,\"mean\":-1.5}"},
    {HF_VALUE_GAUGE,
     {1e308, 1e308},
     2,
     1e308,
     "{\"count\":2,\"sum\":null,\"min\":1e+308,\"max\":1e+308,\"mean\":null}"},
    {HF_VALUE_COUNTER, {10}, 1, 0, "{\"count\":1,\"resets\":0,\"last\":10}"},
    {HF_VALUE_COUNTER, {10, 12, 15}, 3, 5, "{\"count\":3,\"resets\":0,\"last\":15}"},
    {HF_VALUE_COUNTER, {10, 12, 2, 3}, 4, 5, "{\"count\":4,\"resets\":1,\"last\":3}"},
    {HF_VALUE_COUNTER, {10, 0, 0, 4}, 4, 4, "{\"count\":4,\"resets\":1,\"last\":4}"},
};

START_TEST(sums_windows_up)
{
    struct hf_aggregate aggregate = {0};
    struct hf_event event = {.value_kind = windows[_i].kind};

    for (size_t i = 0; i < windows[_i].n; i++)
        ck_assert_int_eq(hf_aggregate_add(&aggregate, windows[_i].kind, windows[_i].values[i]), 0);
    ck_assert_int_eq(hf_aggregate_fill(&aggregate, &event, &text), 0);
    ck_assert_msg(event.value == windows[_i].want, "%d: %g", _i, event.value);
    if (windows[_i].want != 1e308) /* its shortest form differs */
        ck_assert_str_eq(hf_buf_str(&text), windows[_i].summary);
    hf_aggregate_next(&aggregate);
    ck_assert_uint_eq(aggregate.count, 0);
    ck_assert(aggregate.has_last && aggregate.last == windows[_i].values[windows[_i].n - 1]);
    hf_aggregate_done(&aggregate);
}
END_TEST

/* The increases of a counter add up to the same sum, however windows divide its values. */
START_TEST(windows_add_up)
{
    for (int round = 0; round < 200; round++) {
        struct hf_aggregate whole = {0}, cut = {0};
        struct hf_event event = {.value_kind = HF_VALUE_COUNTER};
        double value = 100, sum = 0;
        for (int i = 0; i < 50; i++) {
            value = next_random() % 10 == 0 ? (double)(next_random() % 5) : value + (double)(next_random() % 7);
            ck_assert_int_eq(hf_aggregate_add(&whole, HF_VALUE_COUNTER, value), 0);
            ck_assert_int_eq(hf_aggregate_add(&cut, HF_VALUE_COUNTER, value), 0);
            if (next_random() % 3 == 0) {
                ck_assert_int_eq(hf_aggregate_fill(&cut, &event, &text), 0);
                sum += event.value;
                hf_aggregate_next(&cut);
            }
        }
        ck_assert(sum + cut.added == whole.added);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, keeps_distributions, 0, (int)HF_LEN(spreads));
    tcase_add_test(tc, is_exact_at_borders);
    tcase_add_test(tc, writes_histograms);
    tcase_add_test(tc, finds_frequent_values);
    tcase_add_test(tc, keeps_boundaries_apart);
    tcase_add_loop_test(tc, sums_windows_up, 0, (int)HF_LEN(windows));
    tcase_add_test(tc, windows_add_up);
}
HF_TEST_MAIN("telemetry/aggregate", cases)
