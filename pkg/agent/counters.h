/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's counters. `metrics` may be NULL. */
#pragma once

#include "web/metrics.h"

struct hf_agent_counters {
    struct hf_metric_family *statuses; /* "delivered" or "failed" */
    struct hf_metric_family *refused;
    /* "sent", "refused", "failed" (sent again later), "dropped" (queue full) */
    struct hf_metric_family *events;
    struct hf_metric_family *resyncs; /* "asked" or "failed" */
    struct hf_metric_family *image_refusals;
    struct hf_metric *plans, *leaps;
};

void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics);
void hf_counters_add(struct hf_metric_family *family, const char *label);
