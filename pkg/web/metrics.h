/* web/metrics.h - counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
 *
 *     struct hf_metric *fetched = hf_metric_counter(metrics, "holdfast_update_fetched_bytes_total", "Bytes fetched.");
 *     hf_metric_add(fetched, n);
 *
 *     struct hf_metric_family *ends = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_update_ends_total",
 *                                                      "Updates ended, by result.", HF_LABELS("release", "result"));
 *     hf_metric_add(hf_metric_with(ends, HF_LABELS("edge-inference", "committed")), 1);
 *
 * A handle is one series: cheap to keep and to increment, valid as long as the registry (a labelled one until it is
 * forgotten). Every function accepts NULL, as registry and as handle, and then does nothing, so a module counts
 * without asking if somebody reads. Registering returns NULL for an invalid name, for a name with another type or
 * other labels, and past a limit.
 *
 * Bounds: families, series per family, and the length of a label value. Beyond HF_METRIC_MAX_SERIES, one series with
 * the value "other" for every label counts all new label sets together, and holdfast_metrics_overflow_total{family}
 * counts them. Threads: loop thread only. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_METRICS_MAX_FAMILIES = 160,
    HF_METRIC_MAX_SERIES = 64,  /* limit of series in a family, not counting "other" */
    HF_METRIC_MAX_LABELS = 4,   /* names in one family */
    HF_METRIC_MAX_BOUNDS = 16,  /* buckets of a histogram, without +Inf */
    HF_METRIC_LABEL_VALUE = 96, /* bytes; longer values are cut at a whole character */
};

/* Limit of the text: above it a scrape gets a 500, never a part. */
#define HF_METRICS_MAX_TEXT ((size_t)1 << 20)

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

struct hf_metrics;       /* the registry */
struct hf_metric_family; /* one name with its label names */
struct hf_metric;        /* one series */

struct hf_metrics *hf_metrics_new(void); /* NULL on OOM */
void hf_metrics_free(struct hf_metrics *metrics);
HF_DEFINE_CLEANUP(struct hf_metrics, hf_metrics_free)

#define HF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Families without labels; their one series starts at zero. Names: holdfast_<what>_<unit>; counters end in _total;
 * base units (seconds, bytes); ratios, not percents. `help` is one sentence. The same name and type returns the same
 * series. */
struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help);
struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help);
/* `bounds`: ascending upper bounds, copied; the histogram adds +Inf. */
struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds);

/* Makes a family with labels: `labels` are their names, NULL ends. For histograms call hf_metric_histogram_family(). */
struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels);
struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds);

/* Returns the series with these values (as many as the family has labels, NULL ends); makes it at zero if new. */
struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values);

/* Removes the series of something that no longer exists; its handles become invalid. An absent series is fine. */
void hf_metric_forget(struct hf_metric_family *family, const char *const *values);
/* Removes all series of a family, before setting the current ones again. */
void hf_metric_forget_all(struct hf_metric_family *family);

void hf_metric_add(struct hf_metric *metric, uint64_t n);   /* adds n to a counter or a gauge; ignores a histogram */
void hf_metric_set(struct hf_metric *metric, double value); /* sets a gauge; ignores other types */
/* sets a counter to a total that something else counts, with fractions; ignores a lower total, and other types */
void hf_metric_total(struct hf_metric *metric, double total);
void hf_metric_observe(struct hf_metric *metric, double value); /* histogram; ignores NaN */

/* For tests and the dashboard: the value of a counter or gauge, the count of a histogram; 0 for NULL. */
double hf_metric_value(const struct hf_metric *metric);

/* Calls `collect` before each hf_metrics_format(), to set gauges that are worth reading only then. At most 8:
 * -ENOSPC. */
HF_MUST_USE int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg);

/* Formats everything, families by name, series by label values. 0, or -E2BIG or -ENOMEM of the buf (the text is then
 * incomplete). */
HF_MUST_USE int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out);
