/* SPDX-License-Identifier: Apache-2.0 */
/* An outlet's metrics holdfast_telemetry_* in env->metrics (NULL: none). */
#pragma once

#include "telemetry/sink/outlet_config.h"
#include "web/metrics.h"

struct hf_outlet_metrics {
    /* families with more labels, looked up each time */
    struct hf_metric_family *attempts, *dead, *dropped;
    struct hf_metric *events, *bytes, *batches, *deferred, *rejected, *lost;
    struct hf_metric_family *of_lane[3], *of_sink[4];
    struct {
        struct hf_metric *queue_bytes, *disk_bytes, *queue_records, *sync;
    } lanes[HF_LANES];
    struct hf_metric *oldest, *breaker, *concurrency, *held;
};

void hf_outlet_metrics_register(struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

void hf_outlet_metrics_forget(const struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config);

void hf_outlet_metrics_show(const struct hf_outlet_metrics *metrics, const struct hf_outlet_state *state);
