/* telemetry/sink/outlet_metrics.h - the metrics holdfast_telemetry_* of one sink, in the registry world->metrics.
 *
 * Finding a metric by its labels formats a text, so the outlet looks most of them up once. Without a registry every
 * pointer is NULL, and the hf_metric_* functions accept that.
 *
 * Threads: loop thread only.  Memory: borrows from the registry. */
#pragma once

#include "telemetry/sink/outlet_config.h"
#include "web/metrics.h"

struct hf_outlet_metrics {
    struct hf_metric_family *attempts, *dead, *dropped; /* looked up by their second label when they count */
    struct hf_metric *events, *bytes, *batches, *deferred, *rejected;
    struct hf_metric_family *of_lane[3], *of_sink[3]; /* gauges, which disappear with the sink */
    struct {
        struct hf_metric *queue_bytes, *disk_bytes, *queue_records, *sync;
    } lanes[HF_LANES];
    struct hf_metric *oldest, *breaker, *concurrency;
};

void hf_outlet_metrics_register(struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

/* Removes the gauges of this sink; its counters stay. */
void hf_outlet_metrics_forget(const struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

/* Sets the gauges. */
void hf_outlet_metrics_show(const struct hf_outlet_metrics *metrics, const struct hf_outlet_state *state);
