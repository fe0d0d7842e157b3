/* web/metrics.h - counters, gauges and histograms, and their text form for Prometheus (exposition format 0.0.4).
 *
 *     struct hf_metric *fetched = hf_metric_counter(metrics, "holdfast_update_fetched_bytes_total", "Bytes of artifacts fetched.");
 *     hf_metric_add(fetched, n);
 *
 *     struct hf_metric_family *ends = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_update_ends_total",
 *                                                      "Updates ended, by result.", HF_LABELS("release", "result"));
 *     hf_metric_add(hf_metric_with(ends, HF_LABELS("edge-inference", "committed")), 1);
 *
 * A handle is one series: cheap to keep and to bump, valid as long as the registry (a labelled one until it is forgotten).
 * Everything takes NULL, registry and handles alike, and does nothing, so a module counts without asking whether somebody
 * listens. What cannot be registered (a name that is none, one taken with another type or other labels, a limit) gives NULL.
 *
 * Bounds: families, series for each family and the length of a label value have limits. Beyond HF_METRIC_MAX_SERIES
 * every new set of values is counted together in one series whose values are all "other", and
 * holdfast_metrics_overflow_total{family} says how often. Threads: loop thread only. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_METRICS_MAX_FAMILIES = 160,
    HF_METRIC_MAX_SERIES = 64,  /* for each family, without the "other" one */
    HF_METRIC_MAX_LABELS = 4,   /* names in one family */
    HF_METRIC_MAX_BOUNDS = 16,  /* buckets of a histogram, without +Inf */
    HF_METRIC_LABEL_VALUE = 96, /* bytes; longer values are cut at a whole character */
};

/* The text form is refused above this: a scrape then gets a 500, never half of it. */
#define HF_METRICS_MAX_TEXT ((size_t)1 << 20)

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

struct hf_metrics;       /* the registry */
struct hf_metric_family; /* one name with its label names */
struct hf_metric;        /* one series */

struct hf_metrics *hf_metrics_new(void); /* NULL on OOM */
void hf_metrics_free(struct hf_metrics *metrics);
HF_DEFINE_CLEANUP(struct hf_metrics, hf_metrics_free)

#define HF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Families without labels, their one series at zero from the start. Names: holdfast_<what>_<unit>, counters end in _total, base
 * units (seconds, bytes), ratios instead of percents. `help` is one sentence. The same name and type again gives the same. */
struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help);
struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help);
/* `bounds`: rising upper bounds, copied; +Inf is added. */
struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds);

/* A family with labels: `labels` are names, NULL ends. Histograms take hf_metric_histogram_family(). */
struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels);
struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds);

/* The series with these values (as many as the family has labels, NULL ends), made at zero when new. */
struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values);

/* Take a series away, for what does not exist any more; handles to it are dead. Absent is fine. */
void hf_metric_forget(struct hf_metric_family *family, const char *const *values);
/* All of a family, before setting again those that are true. */
void hf_metric_forget_all(struct hf_metric_family *family);

void hf_metric_add(struct hf_metric *metric, uint64_t n);   /* counter: + n; gauge: + n; histogram: nothing */
void hf_metric_set(struct hf_metric *metric, double value); /* gauge; anything else: nothing */
/* counter: what somebody else counts, with fractions; a total that went back is ignored. Anything else: nothing */
void hf_metric_total(struct hf_metric *metric, double total);
void hf_metric_observe(struct hf_metric *metric, double value); /* histogram; NaN is not counted */

/* For tests and the dashboard: the counter's or gauge's value, a histogram's count; 0 for NULL. */
double hf_metric_value(const struct hf_metric *metric);

/* `collect` runs before each hf_metrics_format(), to set gauges that are only worth knowing when asked. At most 8, -ENOSPC. */
HF_MUST_USE int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg);

/* The whole text, families by name, series by label values. 0, or -E2BIG / -ENOMEM of the buf (then cut anywhere). */
HF_MUST_USE int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out);
