/* SPDX-License-Identifier: Apache-2.0 */
/* web/metrics.h - counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
 *
 *     struct hf_metric *fetched = hf_metric_counter(metrics, "holdfast_update_fetched_bytes_total", "Bytes fetched.");
 *     hf_metric_add(fetched, n);
 *
 *     struct hf_metric_family *ends = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_update_ends_total",
 *                                                      "Updates ended, by result.", HF_LABELS("release", "result"));
 *     hf_metric_add(hf_metric_with(ends, HF_LABELS("edge-inference", "committed")), 1);
 *
 * A struct hf_metric is the handle of one series, which is cheap to keep and to increment. A handle is valid as long as
 * the registry; the handle of a series with labels is valid only until hf_metric_forget() or hf_metric_forget_all()
 * removes the series. Every function that registers or counts accepts NULL as registry, family and handle, and then
 * does nothing. So a module can count without knowing if there is a registry. Functions that register return NULL if
 * the name is invalid, if the name already has another type or other labels, or if a limit is reached.
 *
 * There are limits on the number of families, the number of series in a family, and the length of a label value. If a
 * family has HF_METRIC_MAX_SERIES series (or as many as hf_metric_widen() permits), all new label values share one
 * further series, in which every label has the value "other". The metric holdfast_metrics_overflow_total{family} counts
 * the calls of hf_metric_with() that returned this series. Threads: loop thread only. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_METRICS_MAX_FAMILIES = 160,
    HF_METRIC_MAX_SERIES = 64, /* maximum number of series in a family, without the series "other" */
    HF_METRIC_MAX_LABELS = 4,  /* maximum number of labels of a family */
    HF_METRIC_MAX_BOUNDS = 16, /* maximum number of buckets of a histogram, without the bucket +Inf */
    /* maximum length of a label value in bytes; a longer value is cut at a whole character */
    HF_METRIC_LABEL_VALUE = 96,
};

/* Maximum size in bytes of the text of all metrics. If the text is longer, the answer to a scrape has the status 500
 * and no part of the text. */
#define HF_METRICS_MAX_TEXT ((size_t)1 << 20)

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

struct hf_metrics;       /* the registry of all metrics of a process */
struct hf_metric_family; /* all series with one metric name, with the names of their labels */
struct hf_metric;        /* the handle of one series */

struct hf_metrics *hf_metrics_new(void); /* Makes a registry. Returns NULL if memory runs out. */
void hf_metrics_free(struct hf_metrics *metrics);
HF_DEFINE_CLEANUP(struct hf_metrics, hf_metrics_free)

#define HF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Each of the next two functions makes a family without labels, and returns the only series of this family, which
 * starts at zero. Another call with the same name and type returns the same series. Names have the form
 * holdfast_<what>_<unit>. Use base units (seconds, bytes), and ratios in place of percentages. Names of counters end in
 * _total. `help` is one sentence. */
struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help);
struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help);
/* Makes a histogram without labels. `bounds` are the upper bounds of the buckets in ascending order. The function
 * copies them, and adds a bucket +Inf. */
struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds);

/* Makes a family with labels. `labels` are the names of the labels; NULL ends the array. For histograms call
 * hf_metric_histogram_family(). */
struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels);
struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds);

/* Returns the series with these label values. `values` has one value for each label of the family, and NULL ends the
 * array. If there is no such series, makes it with the value 0. If the family already has its maximum number of series,
 * returns the series "other" instead. Returns NULL if `values` has another number of values than the family has labels,
 * or if memory runs out. */
struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values);

/* Raises the maximum number of series of the family from HF_METRIC_MAX_SERIES to `max_series`. Use it only if an
 * administrator of the cluster chooses the label values, for example names of EdgeUpdates. */
void hf_metric_widen(struct hf_metric_family *family, size_t max_series);

/* Removes the series with these label values, if it exists. Handles of the series become invalid. Call this function
 * when the object that the series measures no longer exists. */
void hf_metric_forget(struct hf_metric_family *family, const char *const *values);
/* Removes all series of a family. The caller can then make new series for those objects that still exist. */
void hf_metric_forget_all(struct hf_metric_family *family);

void hf_metric_add(struct hf_metric *metric, uint64_t n);   /* Adds n to a counter or a gauge; ignores a histogram. */
void hf_metric_set(struct hf_metric *metric, double value); /* Sets a gauge; ignores other types. */
/* Sets a counter to `total`, a sum that other code keeps and that may have a fraction. Ignores a total that is not
 * greater than the present value, and ignores other types. Do not use hf_metric_add() for the same counter. */
void hf_metric_total(struct hf_metric *metric, double total);
void hf_metric_observe(struct hf_metric *metric, double value); /* Adds a value to a histogram; ignores NaN. */

/* Returns the value of a counter or gauge, the number of values in a histogram, or 0 for NULL. This function is for
 * tests and for the dashboard. */
double hf_metric_value(const struct hf_metric *metric);

/* Registers `collect`, which hf_metrics_format() calls each time before it formats. Use it for gauges whose values
 * matter only during a scrape. -ENOSPC: 8 such functions are already registered. */
HF_MUST_USE int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg);

/* Appends the text of all families in the order of their names, with their series in the order of the label values.
 * After -E2BIG (*out is full) or -ENOMEM, the text in *out is incomplete. */
HF_MUST_USE int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out);
