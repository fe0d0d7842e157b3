/* SPDX-License-Identifier: Apache-2.0 */
/* `metrics` may be NULL. */
#pragma once

#include "web/metrics.h"

struct hf_agent_counters {
    struct hf_metric_family *statuses;       /* "delivered" or "failed" */
    struct hf_metric_family *refused;        /* by kind */
    struct hf_metric_family *events;         /* "sent", "refused", "failed" (again later), "dropped" (no room) */
    struct hf_metric_family *resyncs;        /* "asked" or "failed" */
    struct hf_metric_family *image_refusals; /* by enum hf_image_verdict */
    struct hf_metric *plans, *leaps;
};

void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics);
void hf_counters_add(struct hf_metric_family *family, const char *label);
