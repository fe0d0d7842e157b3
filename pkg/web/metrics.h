/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, gauges and histograms, as text for Prometheus.
 *
 * A handle (struct hf_metric) is valid as long as registry and series. With a NULL registry, family or handle nothing
 * happens. Registration returns NULL for an invalid name, for a known name with another type, labels or bounds, or at a
 * limit.
 *
 * In a full family, new label values share a series "other"; holdfast_metrics_overflow_total{family} counts how
 * often. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_METRICS_MAX_FAMILIES = 160,
    HF_METRIC_MAX_SERIES = 64, /* of a family, without "other"; hf_metric_widen() allows more */
    HF_METRIC_MAX_LABELS = 4,
    HF_METRIC_MAX_BOUNDS = 16,  /* without +Inf */
    HF_METRIC_LABEL_VALUE = 96, /* bytes; cut at a whole character */
};

/* bytes; a longer text is answered with status 500 */
#define HF_METRICS_MAX_TEXT ((size_t)1 << 20)

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

struct hf_metrics;
struct hf_metric_family;
struct hf_metric; /* a series */

struct hf_metrics *hf_metrics_new(void);
void hf_metrics_free(struct hf_metrics *metrics);
HF_DEFINE_CLEANUP(struct hf_metrics, hf_metrics_free)

#define HF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Make or find a series without labels. Names: holdfast_<what>_<unit>; counters end in _total. */
struct hf_metric *hf_metric_counter(struct hf_metrics *metrics, const char *name, const char *help);
struct hf_metric *hf_metric_gauge(struct hf_metrics *metrics, const char *name, const char *help);
/* `bounds`: the buckets' upper bounds, ascending, without +Inf; copied. */
struct hf_metric *hf_metric_histogram(struct hf_metrics *metrics, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds);

struct hf_metric_family *hf_metric_family(struct hf_metrics *metrics, enum hf_metric_type type, const char *name,
                                          const char *help, const char *const *labels);
struct hf_metric_family *hf_metric_histogram_family(struct hf_metrics *metrics, const char *name, const char *help,
                                                    const char *const *labels, const double *bounds, size_t n_bounds);

/* Returns the series of `values` (one per label, then NULL). A new one begins at 0; in a full family, "other" takes its
 * place. NULL: wrong number of values, or no memory. */
struct hf_metric *hf_metric_with(struct hf_metric_family *family, const char *const *values);

void hf_metric_widen(struct hf_metric_family *family, size_t max_series);

/* Removes series, whose handles become invalid. */
void hf_metric_forget(struct hf_metric_family *family, const char *const *values);
void hf_metric_forget_all(struct hf_metric_family *family);

void hf_metric_add(struct hf_metric *metric, uint64_t n);   /* no histograms */
void hf_metric_set(struct hf_metric *metric, double value); /* gauges only */
/* Sets a counter to a sum kept elsewhere, maybe with a fraction; a smaller sum is ignored. Not together with
 * hf_metric_add(). */
void hf_metric_total(struct hf_metric *metric, double total);
void hf_metric_observe(struct hf_metric *metric, double value); /* histograms only; ignores NaN */

/* A histogram's value is its number of observations. */
double hf_metric_value(const struct hf_metric *metric);

/* Computes the sum or maximum of a family's series. Returns false if there are none, or for histograms. */
enum hf_metrics_fold { HF_METRICS_SUM, HF_METRICS_MAX };
bool hf_metrics_read(const struct hf_metrics *metrics, const char *name, enum hf_metrics_fold fold, double *ret_value);
/* Returns the sum of a family's counters whose first label is `value`, which must need no escapes. */
uint64_t hf_metrics_sum_of(const struct hf_metrics *metrics, const char *name, const char *value);

void hf_metrics_collect(struct hf_metrics *metrics);

/* Has collect() called by hf_metrics_collect(), and first by hf_metrics_format(). -ENOSPC: more than 8. */
HF_MUST_USE int hf_metrics_on_collect(struct hf_metrics *metrics, void (*collect)(void *arg), void *arg);

/* Appends all series, sorted by name and label values. On failure *out is incomplete. */
HF_MUST_USE int hf_metrics_format(struct hf_metrics *metrics, struct hf_buf *out);
