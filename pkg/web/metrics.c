/* SPDX-License-Identifier: Apache-2.0 */
/* A map holds the families by name, and each family a map of series by their label text as printed
 * ("release=\"edge\",..."), which is both the key and most of the output line. Format: Prometheus text exposition
 * format 0.0.4. */
#include "web/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/strmap.h"

enum {
    MAX_COLLECTORS = 8,
    MAX_NAME = 128,
    MAX_KEY = HF_METRIC_MAX_LABELS * (MAX_NAME + 2 * HF_METRIC_LABEL_VALUE + 4)
};

#define OVERFLOW_VALUE "other"

struct hf_metric {
    enum hf_metric_type type;
    uint64_t count; /* value of a counter; number of observations of a histogram */
    double value;   /* value of a gauge; sum of a histogram; total that a counter took from elsewhere, added to count */
    size_t n_bounds;
    const double *bounds; /* the family's */
    uint64_t buckets[];   /* n_bounds, not cumulative */
};

struct hf_metric_family {
    struct hf_metrics *metrics;
    char *name;
    char *help;
    enum hf_metric_type type;
    char *labels[HF_METRIC_MAX_LABELS];
    size_t n_labels;
    double bounds[HF_METRIC_MAX_BOUNDS];
    size_t n_bounds;
    size_t max_series;
    struct hf_strmap series; /* label text -> struct hf_metric */
};

struct collector {
    void (*collect)(void *arg);
    void *arg;
};

struct hf_metrics {
    struct hf_strmap families;
    struct collector collectors[MAX_COLLECTORS];
    size_t n_collectors;
    struct hf_metric_family *overflow;
};

static void family_free(void *pointer)
{
    struct hf_metric_family *family = pointer;

    if (family == NULL)
        return;
    hf_strmap_done(&family->series);
    for (size_t i = 0; i < family->n_labels; i++)
        free(family->labels[i]);
    free(family->name);
    free(family->help);
    free(family);
}

static void family_freep(struct hf_metric_family **family)
{
    family_free(*family);
}

struct hf_metrics *hf_metrics_new(void)
{
    struct hf_metrics *metrics = calloc(1, sizeof(*metrics));

    if (metrics == NULL)
        return NULL;
    metrics->families.free_value = family_free;
    metrics->overflow =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_metrics_overflow_total",
                         "Label sets beyond the limit of their family, counted under \"other\".", HF_LABELS("family"));
    if (metrics->overflow == NULL) {
        hf_metrics_free(metrics);
        return NULL;
    }
    return metrics;
}

void hf_metrics_free(struct hf_metrics *metrics)
{
    if (metrics == NULL)
        return;
    hf_strmap_done(&metrics->families);
    free(metrics);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool name_ok(const char *name, bool colons)
{
    size_t n = strlen(name);

    if (n == 0 || n > MAX_NAME || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' ||
              (colons && *c == ':')))
            return false;
    return true;
}

static bool bounds_ok(const double *bounds, size_t n)
{
    if (n > HF_METRIC_MAX_BOUNDS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
            return false;
    return true;
}

static bool labels_ok(const char *const *labels, enum hf_metric_type type, size_t *ret_n)
{
    size_t n = 0;

    for (; labels != NULL && labels[n] != NULL; n++)
        if (n == HF_METRIC_MAX_LABELS || !name_ok(labels[n], false) || strncmp(labels[n], "__", 2) == 0 ||
            (type == HF_METRIC_HISTOGRAM && strcmp(labels[n], "le") == 0))
            return false;
    *ret_n = n;
    return true;
}

static bool same_family(const struct hf_metric_family *family, enum hf_metric_type type, const char *const *labels,
                        size_t n_labels, const double *bounds, size_t n_bounds)
{
    if (family->type != type || family->n_labels != n_labels || family->n_bounds != n_bounds)
        return false;
    for (size_t i = 0; i < n_labels; i++)
        if (strcmp(family->labels[i], labels[i]) != 0)
            return false;
    return n_bounds == 0 || memcmp(family->bounds, bounds, n_bounds * sizeof(*bounds)) == 0;
}

/* ---- making families and series ---------------------------------------------------------------------------------- */

static struct hf_metric_family *family_new(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                           const char *help, const char *const *labels, size_t n_labels,
                                           const double *bounds, size_t n_bounds)
{
    _cleanup_(family_freep) struct hf_metric_family *family = calloc(1, sizeof(*family));

    if (family == NULL)
        return NULL;
    family->metrics = metrics;
    family->type = type;
    family->max_series = HF_METRIC_MAX_SERIES;
    family->series.free_value = free;
    family->name = strdup(name);
    family->help = strdup(help);
    if (family->name == NULL || family->help == NULL)
        return NULL;
    for (size_t i = 0; i < n_labels; i++) {
        family->labels[i] = strdup(labels[i]);
        if (family->labels[i] == NULL)
            return NULL;
        family->n_labels++;
    }
    if (n_bounds > 0)
        memcpy(family->bounds, bounds, n_bounds * sizeof(*bounds));
    family->n_bounds = n_bounds;
    if (hf_strmap_put(&metrics->families, name, family) < 0)
        return NULL;
    return hf_steal(family);
}

static struct hf_metric_family *register_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                                const char *help, const char *const *labels, const double *bounds,
                                                size_t n_bounds)
{
    size_t n_labels = 0;

    if (metrics == NULL || !name_ok(name, true) || !labels_ok(labels, type, &n_labels) || !bounds_ok(bounds, n_bounds))
        return NULL;
    struct hf_metric_family *known = hf_strmap_get(&metrics->families, name);
    if (known != NULL)
        return same_family(known, type, labels, n_labels, bounds, n_bounds) ? known : NULL;
    if (metrics->families.n >= HF_METRICS_MAX_FAMILIES)
        return NULL;
    return family_new(metrics, type, name, help, labels, n_labels, bounds, n_bounds);
}

struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels)
{
    return type == HF_METRIC_HISTOGRAM ? NULL : register_family(metrics, type, name, help, labels, NULL, 0);
}

struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds)
{
    return register_family(metrics, HF_METRIC_HISTOGRAM, name, help, labels, bounds, n_bounds);
}

struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help)
{
    return hf_metric_with(hf_metric_family(metrics, HF_METRIC_COUNTER, name, help, NULL), NULL);
}

struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help)
{
    return hf_metric_with(hf_metric_family(metrics, HF_METRIC_GAUGE, name, help, NULL), NULL);
}

struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds)
{
    return hf_metric_with(hf_metric_histogram_family(metrics, name, help, NULL, bounds, n_bounds), NULL);
}

static struct hf_metric *metric_new(const struct hf_metric_family *family)
{
    struct hf_metric *metric = calloc(1, sizeof(*metric) + family->n_bounds * sizeof(metric->buckets[0]));

    if (metric == NULL)
        return NULL;
    metric->type = family->type;
    metric->n_bounds = family->n_bounds;
    metric->bounds = family->bounds;
    return metric;
}

/* Returns the number of bytes of `value` to print: at most the limit, without cutting a UTF-8 character. */
static size_t value_length(const char *value)
{
    size_t n = strnlen(value, HF_METRIC_LABEL_VALUE + 1);

    if (n <= HF_METRIC_LABEL_VALUE)
        return n;
    n = HF_METRIC_LABEL_VALUE;
    while (n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* Escapes a label value or a help text; only label values escape the quote. */
static int add_escaped(struct hf_buf *out, const char *text, size_t n, bool quotes)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        if (text[i] == '\\')
            r = hf_buf_add(out, "\\\\", 2);
        else if (text[i] == '\n')
            r = hf_buf_add(out, "\\n", 2);
        else if (text[i] == '"' && quotes)
            r = hf_buf_add(out, "\\\"", 2);
        else
            r = hf_buf_add(out, text + i, 1);
    }
    return r;
}

/* Formats `release="edge",result="committed"`. -EINVAL: not as many values as labels. Replaces a value that is not
 * UTF-8, which would make the whole scrape unreadable. */
static int format_labels(const struct hf_metric_family *family, const char *const *values, struct hf_buf *out)
{
    for (size_t i = 0; i < family->n_labels; i++) {
        if (values == NULL || values[i] == NULL)
            return -EINVAL;
        size_t n = value_length(values[i]);
        bool valid = hf_utf8_valid(values[i], n);
        int r = hf_buf_addf(out, "%s%s=\"", i > 0 ? "," : "", family->labels[i]);
        if (r == 0)
            r = add_escaped(out, valid ? values[i] : "not UTF-8", valid ? n : strlen("not UTF-8"), true);
        if (r == 0)
            r = hf_buf_add_str(out, "\"");
        if (r < 0)
            return r;
    }
    return values != NULL && values[family->n_labels] != NULL ? -EINVAL : 0;
}

/* Returns the series with this label text; makes it if new. */
static struct hf_metric *series_get(struct hf_metric_family *family, const char *key)
{
    struct hf_metric *metric = hf_strmap_get(&family->series, key);

    if (metric != NULL)
        return metric;
    metric = metric_new(family);
    if (metric != NULL && hf_strmap_put(&family->series, key, metric) < 0) {
        free(metric);
        return NULL;
    }
    return metric;
}

/* Returns the series "other", which counts all label sets beyond the limit. */
static struct hf_metric *overflow(struct hf_metric_family *family)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(MAX_KEY);
    const char *values[HF_METRIC_MAX_LABELS + 1] = {NULL};

    for (size_t i = 0; i < family->n_labels; i++)
        values[i] = OVERFLOW_VALUE;
    if (format_labels(family, values, &key) < 0)
        return NULL;
    if (family != family->metrics->overflow)
        hf_metric_add(hf_metric_with(family->metrics->overflow, HF_LABELS(family->name)), 1);
    return series_get(family, hf_buf_str(&key));
}

struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(MAX_KEY);

    if (family == NULL || format_labels(family, values, &key) < 0)
        return NULL;
    if (family->series.n >= family->max_series && hf_strmap_get(&family->series, hf_buf_str(&key)) == NULL)
        return overflow(family);
    return series_get(family, hf_buf_str(&key));
}

void hf_metric_forget(struct hf_metric_family *family, const char *const *values)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(MAX_KEY);

    if (family != NULL && format_labels(family, values, &key) == 0)
        (void)hf_strmap_remove(&family->series, hf_buf_str(&key));
}

void hf_metric_widen(struct hf_metric_family *family, size_t max_series)
{
    if (family != NULL && max_series > family->max_series)
        family->max_series = max_series;
}

void hf_metric_forget_all(struct hf_metric_family *family)
{
    if (family != NULL)
        hf_strmap_done(&family->series);
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

void hf_metric_add(struct hf_metric *metric, uint64_t n)
{
    if (metric == NULL || metric->type == HF_METRIC_HISTOGRAM)
        return;
    if (metric->type == HF_METRIC_COUNTER)
        metric->count += n;
    else
        metric->value += (double)n;
}

void hf_metric_set(struct hf_metric *metric, double value)
{
    if (metric != NULL && metric->type == HF_METRIC_GAUGE)
        metric->value = value;
}

void hf_metric_total(struct hf_metric *metric, double total)
{
    if (metric != NULL && metric->type == HF_METRIC_COUNTER && total > metric->value)
        metric->value = total;
}

void hf_metric_observe(struct hf_metric *metric, double value)
{
    if (metric == NULL || metric->type != HF_METRIC_HISTOGRAM || isnan(value))
        return;
    size_t i = 0;
    while (i < metric->n_bounds && value > metric->bounds[i])
        i++;
    if (i < metric->n_bounds)
        metric->buckets[i]++;
    metric->count++;
    metric->value += value;
}

double hf_metric_value(const struct hf_metric *metric)
{
    if (metric == NULL)
        return 0;
    return metric->type == HF_METRIC_GAUGE     ? metric->value
           : metric->type == HF_METRIC_COUNTER ? metric->value + (double)metric->count
                                               : (double)metric->count;
}

int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg)
{
    if (metrics == NULL)
        return 0;
    if (metrics->n_collectors == MAX_COLLECTORS)
        return -ENOSPC;
    metrics->collectors[metrics->n_collectors++] = (struct collector){collect, arg};
    return 0;
}

void hf_metrics_collect(struct hf_metrics *metrics)
{
    for (size_t i = 0; metrics != NULL && i < metrics->n_collectors; i++)
        metrics->collectors[i].collect(metrics->collectors[i].arg);
}

bool hf_metrics_read(const struct hf_metrics *metrics, const char *name, enum hf_metrics_fold fold, double *ret_value)
{
    const struct hf_metric_family *family = metrics != NULL ? hf_strmap_get(&metrics->families, name) : NULL;

    if (family == NULL || family->type == HF_METRIC_HISTOGRAM || family->series.n == 0)
        return false;
    *ret_value = 0;
    for (size_t i = 0; i < family->series.n; i++) {
        double value = hf_metric_value(family->series.entries[i].value);
        *ret_value = fold == HF_METRICS_SUM ? *ret_value + value : i == 0 ? value : fmax(*ret_value, value);
    }
    return true;
}

uint64_t hf_metrics_sum_of(const struct hf_metrics *metrics, const char *name, const char *value)
{
    const struct hf_metric_family *family = metrics != NULL ? hf_strmap_get(&metrics->families, name) : NULL;
    char first[MAX_NAME + HF_METRIC_LABEL_VALUE + 4];
    uint64_t sum = 0;

    if (family == NULL || family->n_labels == 0)
        return 0;
    (void)snprintf(first, sizeof(first), "%s=\"%.*s\"", family->labels[0], HF_METRIC_LABEL_VALUE, value);
    for (size_t i = 0; i < family->series.n; i++)
        if (strncmp(family->series.entries[i].key, first, strlen(first)) == 0)
            sum += (uint64_t)hf_metric_value(family->series.entries[i].value);
    return sum;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Appends the shortest decimal that reads back as the same double, or NaN, +Inf or -Inf. */
static int add_double(struct hf_buf *out, double value)
{
    char text[40];

    if (isnan(value))
        return hf_buf_add_str(out, "NaN");
    if (isinf(value))
        return hf_buf_add_str(out, value > 0 ? "+Inf" : "-Inf");
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back >= value && back <= value)
            break;
    }
    return hf_buf_add_str(out, text);
}

/* Appends name{labels,extra} and a blank; without braces if both are empty. */
static int add_name(struct hf_buf *out, const char *name, const char *suffix, const char *labels, const char *extra)
{
    bool both = labels[0] != '\0' && extra[0] != '\0';

    if (labels[0] == '\0' && extra[0] == '\0')
        return hf_buf_addf(out, "%s%s ", name, suffix);
    return hf_buf_addf(out, "%s%s{%s%s%s} ", name, suffix, labels, both ? "," : "", extra);
}

static int add_count(struct hf_buf *out, const char *name, const char *suffix, const char *labels, const char *extra,
                     uint64_t n)
{
    int r = add_name(out, name, suffix, labels, extra);

    return r < 0 ? r : hf_buf_addf(out, "%" PRIu64 "\n", n);
}

static int add_number(struct hf_buf *out, const char *name, const char *suffix, const char *labels, double value)
{
    int r = add_name(out, name, suffix, labels, "");

    if (r == 0)
        r = add_double(out, value);
    return r < 0 ? r : hf_buf_add_str(out, "\n");
}

static int add_le(struct hf_buf *out, double bound)
{
    int r = hf_buf_add_str(out, "le=\"");

    if (r == 0)
        r = add_double(out, bound);
    return r < 0 ? r : hf_buf_add_str(out, "\"");
}

static int format_histogram(const char *name, const char *labels, const struct hf_metric *metric, struct hf_buf *out)
{
    uint64_t below = 0;
    int r = 0;

    for (size_t i = 0; i < metric->n_bounds && r == 0; i++) {
        _cleanup_(hf_buf_done) struct hf_buf le = HF_BUF_INIT(64);
        below += metric->buckets[i];
        r = add_le(&le, metric->bounds[i]);
        if (r == 0)
            r = add_count(out, name, "_bucket", labels, hf_buf_str(&le), below);
    }
    if (r == 0)
        r = add_count(out, name, "_bucket", labels, "le=\"+Inf\"", metric->count);
    if (r == 0)
        r = add_number(out, name, "_sum", labels, metric->value);
    return r < 0 ? r : add_count(out, name, "_count", labels, "", metric->count);
}

static int format_series(const char *name, const char *labels, const struct hf_metric *metric, struct hf_buf *out)
{
    switch (metric->type) {
    case HF_METRIC_COUNTER:
        return metric->value > 0 ? add_number(out, name, "", labels, hf_metric_value(metric))
                                 : add_count(out, name, "", labels, "", metric->count);
    case HF_METRIC_GAUGE:
        return add_number(out, name, "", labels, metric->value);
    case HF_METRIC_HISTOGRAM:
        return format_histogram(name, labels, metric, out);
    }
    return -EINVAL;
}

static int format_family(const struct hf_metric_family *family, struct hf_buf *out)
{
    static const char *const types[] = {
        [HF_METRIC_COUNTER] = "counter", [HF_METRIC_GAUGE] = "gauge", [HF_METRIC_HISTOGRAM] = "histogram"};

    int r = hf_buf_addf(out, "# HELP %s ", family->name);
    if (r == 0)
        r = add_escaped(out, family->help, strlen(family->help), false);
    if (r == 0)
        r = hf_buf_addf(out, "\n# TYPE %s %s\n", family->name, types[family->type]);
    for (size_t i = 0; i < family->series.n && r == 0; i++)
        r = format_series(family->name, family->series.entries[i].key, family->series.entries[i].value, out);
    return r;
}

int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out)
{
    int r = 0;

    if (metrics == NULL)
        return 0;
    hf_metrics_collect(metrics);
    for (size_t i = 0; i < metrics->families.n && r == 0; i++)
        r = format_family(metrics->families.entries[i].value, out);
    return r;
}
