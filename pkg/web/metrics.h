/* web/metrics.h - counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
 *
 *     struct hf_metric *fetched = hf_metric_counter(metrics, "holdfast_update_fetched_bytes_total", "Bytes fetched.");
 *     hf_metric_add(fetched, n);
 *
 *     struct hf_metric_family *ends = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_update_ends_total",
 *                                                      "Updates ended, by result.", HF_LABELS("release", "result"));
 *     hf_metric_add(hf_metric_with(ends, HF_LABELS("edge-inference", "committed")), 1);
 *
 * A handle stands for one series and is cheap to keep and to increment. It is valid as long as the registry; the handle
 * of a labelled series only until somebody forgets the series. Every function accepts NULL as registry and as handle,
 * and then does nothing, so a module can count without knowing if there is a registry. Functions that register return
 * NULL if the name is invalid, if the name already has another type or other labels, or if a limit is reached.
 *
 * There are limits for families, for series in a family, and for the length of a label value. Beyond
 * HF_METRIC_MAX_SERIES, all new label sets share one series, in which every label has the value "other";
 * holdfast_metrics_overflow_total{family} counts how often that happens. Threads: loop thread only. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_METRICS_MAX_FAMILIES = 160,
    HF_METRIC_MAX_SERIES = 64,  /* limit of series in a family, not counting "other" */
    HF_METRIC_MAX_LABELS = 4,   /* label names in one family */
    HF_METRIC_MAX_BOUNDS = 16,  /* buckets of a histogram, without +Inf */
    HF_METRIC_LABEL_VALUE = 96, /* bytes; longer values are cut at a whole character */
};

/* Limit of the text in bytes. If the text is longer, a scrape gets the status 500, never a part of the text. */
#define HF_METRICS_MAX_TEXT ((size_t)1 << 20)

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

struct hf_metrics;       /* the registry */
struct hf_metric_family; /* one name with its label names */
struct hf_metric;        /* one series */

struct hf_metrics *hf_metrics_new(void); /* NULL on OOM */
void hf_metrics_free(struct hf_metrics *metrics);
HF_DEFINE_CLEANUP(struct hf_metrics, hf_metrics_free)

#define HF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Make a family without labels; its only series starts at zero. A second call with the same name and type returns the
 * same series. Names have the form holdfast_<what>_<unit>, with base units (seconds, bytes) and ratios instead of
 * percents; names of counters end in _total. `help` is one sentence. */
struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help);
struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help);
/* `bounds`: ascending upper bounds, copied; the histogram adds +Inf. */
struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds);

/* Makes a family with labels; `labels` are the label names, NULL ends. For histograms call
 * hf_metric_histogram_family(). */
struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels);
struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds);

/* Returns the series with these label values (as many as the family has labels; NULL ends). Makes the series, with
 * value 0, if it is new. */
struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values);

/* Removes the series with these label values, because the thing that it measures no longer exists. Handles of the
 * series become invalid. An absent series is no error. */
void hf_metric_forget(struct hf_metric_family *family, const char *const *values);
/* Removes all series of a family. Call it before you set the current series again. */
void hf_metric_forget_all(struct hf_metric_family *family);

void hf_metric_add(struct hf_metric *metric, uint64_t n);   /* adds n to a counter or a gauge; ignores a histogram */
void hf_metric_set(struct hf_metric *metric, double value); /* sets a gauge; ignores other types */
/* sets a counter to a total (fractions allowed) that other code counts; ignores a lower total, and other types */
void hf_metric_total(struct hf_metric *metric, double total);
void hf_metric_observe(struct hf_metric *metric, double value); /* adds a value to a histogram; ignores NaN */

/* Returns the value of a counter or gauge, the number of values in a histogram, or 0 for NULL. For tests and the
 * dashboard. */
double hf_metric_value(const struct hf_metric *metric);

/* Registers `collect`, which each hf_metrics_format() calls first. Use it to set gauges whose values nobody needs
 * between two scrapes. -ENOSPC: there are already 8 such functions. */
HF_MUST_USE int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg);

/* Formats all families in the order of names, and their series in the order of label values. -E2BIG, -ENOMEM: `out` is
 * full or cannot grow, and the text in it is incomplete. */
HF_MUST_USE int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out);
