/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_metrics.h - the metrics holdfast_telemetry_* of one sink, in the registry world->metrics.
 *
 * A look-up of a metric by its labels is slow because it formats a text, so the outlet looks up most metrics only once.
 * Without a registry every pointer in struct hf_outlet_metrics is NULL, and the hf_metric_* functions accept NULL.
 *
 * Threads: loop thread only. Memory: the registry owns the metrics. */
#pragma once

#include "telemetry/sink/outlet_config.h"
#include "web/metrics.h"

struct hf_outlet_metrics {
    /* families with a label besides `sink`; the outlet looks up a metric of these families whenever it changes the
     * metric */
    struct hf_metric_family *attempts, *dead, *dropped;
    struct hf_metric *events, *bytes, *batches, *deferred, *rejected, *lost;
    /* families of the gauges that hf_outlet_metrics_forget() removes */
    struct hf_metric_family *of_lane[3], *of_sink[4];
    struct {
        struct hf_metric *queue_bytes, *disk_bytes, *queue_records, *sync;
    } lanes[HF_LANES];
    struct hf_metric *oldest, *breaker, *concurrency, *held;
};

void hf_outlet_metrics_register(struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

/* Removes the gauges of this sink. The counters and the histogram of the sink stay in the registry. */
void hf_outlet_metrics_forget(const struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

/* Sets the gauges of this sink to the values in *state. */
void hf_outlet_metrics_show(const struct hf_outlet_metrics *metrics, const struct hf_outlet_state *state);
