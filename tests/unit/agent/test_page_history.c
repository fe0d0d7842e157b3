/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/history.h"

#include <math.h>

#include "base/clock.h"
#include "codec/json.h"
#include "support/check_main.h"

static const struct hf_page_series series[] = {{"level", false}, {"bytes", true}};

static json_t *format(const struct hf_page_history *history, uint64_t s)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    json_t *json = NULL;

    ck_assert_int_eq(hf_page_history_format(history, s * HF_NS_PER_S, &text), 0);
    ck_assert_msg(hf_json_parse(hf_buf_view(&text), NULL, &json, NULL) == 0, "%s", hf_buf_str(&text));
    return json;
}

static double value(const json_t *json, const char *name, size_t i)
{
    return json_number_value(json_array_get(hf_json_at(json, name), i));
}

START_TEST(levels_and_rates)
{
    struct hf_page_history *history = hf_page_history_new(series, HF_LEN(series));
    const uint64_t s = HF_NS_PER_S;

    ck_assert(hf_page_history_is_due(history, 5));
    hf_page_history_add(history, 1000 * s, (const double[]){0.5, 7000});
    ck_assert(!hf_page_history_is_due(history, 1119 * s) && hf_page_history_is_due(history, 1120 * s));
    hf_page_history_add(history, 1200 * s, (const double[]){0.25, 8000});
    hf_page_history_add(history, 1300 * s, (const double[]){NAN, 100}); /* the counter began anew */
    hf_page_history_add(history, 1400 * s, (const double[]){1, 200});
    _cleanup_(hf_json_freep) json_t *json = format(history, 1410);
    ck_assert_uint_eq(json_array_size(hf_json_at(json, "ages")), 4);
    ck_assert_int_eq((int)value(json, "ages", 0), 410);
    ck_assert_int_eq((int)value(json, "ages", 3), 10);
    ck_assert(value(json, "series.level", 1) == 0.25 && value(json, "series.level", 3) == 1);
    ck_assert(json_is_null(json_array_get(hf_json_at(json, "series.level"), 2)));
    ck_assert(json_is_null(json_array_get(hf_json_at(json, "series.bytes"), 0)));
    ck_assert(value(json, "series.bytes", 1) == 5 && value(json, "series.bytes", 3) == 1);
    ck_assert(json_is_null(json_array_get(hf_json_at(json, "series.bytes"), 2)));
    hf_page_history_free(history);
}
END_TEST

/* Two days: the ring holds the last one, and what is older than a day is not given. */
START_TEST(a_day_and_no_more)
{
    struct hf_page_history *history = hf_page_history_new(series, HF_LEN(series));
    uint64_t t = 0;

    for (int i = 0; i < 2 * HF_PAGE_SAMPLES; i++, t += HF_PAGE_SAMPLE_S)
        hf_page_history_add(history, t * HF_NS_PER_S, (const double[]){i, i});
    _cleanup_(hf_json_freep) json_t *full = format(history, t);
    ck_assert_uint_eq(json_array_size(hf_json_at(full, "ages")), HF_PAGE_SAMPLES);
    ck_assert_int_eq((int)value(full, "ages", 0), HF_PAGE_SAMPLES * HF_PAGE_SAMPLE_S);
    ck_assert(value(full, "series.level", 0) == HF_PAGE_SAMPLES);
    _cleanup_(hf_json_freep) json_t *half = format(history, t + 12 * 3600);
    ck_assert_uint_eq(json_array_size(hf_json_at(half, "ages")), HF_PAGE_SAMPLES / 2);
    _cleanup_(hf_json_freep) json_t *none = format(history, t + 48 * 3600);
    ck_assert_uint_eq(json_array_size(hf_json_at(none, "series.bytes")), 0);
    hf_page_history_free(history);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, levels_and_rates);
    tcase_add_test(tc, a_day_and_no_more);
}
HF_TEST_MAIN("agent/page_history", cases)
