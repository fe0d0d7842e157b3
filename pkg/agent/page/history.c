/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

enum { DAY_S = 24 * 3600 };

_Static_assert(HF_PAGE_SAMPLES *HF_PAGE_SAMPLE_S >= DAY_S, "the ring holds a day");

struct page_sample {
    uint32_t mono_s;
    float values[HF_PAGE_SERIES_MAX];
};

struct hf_page_history {
    const struct hf_page_series *series;
    size_t n_series;
    size_t next, n;
    double sums[HF_PAGE_SERIES_MAX]; /* of the last sample */
    uint64_t last_ns;                /* of the last sample; HF_NEVER: before the first */
    struct page_sample samples[HF_PAGE_SAMPLES];
};

struct hf_page_history *hf_page_history_new(const struct hf_page_series *series, size_t n)
{
    struct hf_page_history *history = calloc(1, sizeof(*history));

    assert(n <= HF_PAGE_SERIES_MAX);
    if (history == NULL)
        return NULL;
    history->series = series;
    history->n_series = n;
    history->last_ns = HF_NEVER;
    return history;
}

void hf_page_history_free(struct hf_page_history *history)
{
    free(history);
}

bool hf_page_history_is_due(const struct hf_page_history *history, uint64_t mono_ns)
{
    return history->last_ns == HF_NEVER || mono_ns - history->last_ns >= HF_PAGE_SAMPLE_S * HF_NS_PER_S;
}

/* A sum that fell belongs to a part that began anew. */
static double rate_of(double sum, double before, uint64_t passed_ns)
{
    return sum < before || passed_ns == 0 ? NAN : (sum - before) / ((double)passed_ns / HF_NS_PER_S);
}

void hf_page_history_add(struct hf_page_history *history, uint64_t mono_ns, const double *values)
{
    struct page_sample *sample = &history->samples[history->next];
    bool first = history->last_ns == HF_NEVER;

    sample->mono_s = (uint32_t)(mono_ns / HF_NS_PER_S);
    for (size_t i = 0; i < history->n_series; i++) {
        double value = values[i];
        if (history->series[i].is_rate)
            value = first ? NAN : rate_of(values[i], history->sums[i], mono_ns - history->last_ns);
        history->sums[i] = values[i];
        sample->values[i] = (float)value;
    }
    history->last_ns = mono_ns;
    history->next = (history->next + 1) % HF_PAGE_SAMPLES;
    history->n = HF_MIN(history->n + 1, (size_t)HF_PAGE_SAMPLES);
}

/* The values of a column, or after the last one the ages, of each sample that is not older than a day. */
static int add_column(const struct hf_page_history *history, uint32_t now_s, size_t column, struct hf_buf *out)
{
    const char *comma = "";
    int r = 0;

    for (size_t i = 0; i < history->n && r == 0; i++) {
        const struct page_sample *sample =
            &history->samples[(history->next + HF_PAGE_SAMPLES - history->n + i) % HF_PAGE_SAMPLES];
        uint32_t age_s = now_s - sample->mono_s;
        if (age_s > DAY_S)
            continue;
        if (column == history->n_series)
            r = hf_buf_addf(out, "%s%u", comma, age_s);
        else if (isfinite(sample->values[column]))
            r = hf_buf_addf(out, "%s%.6g", comma, (double)sample->values[column]);
        else
            r = hf_buf_addf(out, "%snull", comma);
        comma = ",";
    }
    return r;
}

int hf_page_history_format(const struct hf_page_history *history, uint64_t mono_ns, struct hf_buf *out)
{
    uint32_t now_s = (uint32_t)(mono_ns / HF_NS_PER_S);
    int r = hf_buf_add_str(out, "{\"ages\":[");

    if (r == 0)
        r = add_column(history, now_s, history->n_series, out);
    if (r == 0)
        r = hf_buf_add_str(out, "],\"series\":{");
    for (size_t i = 0; i < history->n_series && r == 0; i++) {
        r = hf_buf_addf(out, "%s\"%s\":[", i > 0 ? "," : "", history->series[i].name);
        if (r == 0)
            r = add_column(history, now_s, i, out);
        if (r == 0)
            r = hf_buf_add_str(out, "]");
    }
    return r == 0 ? hf_buf_add_str(out, "}}\n") : r;
}
