/* SPDX-License-Identifier: Apache-2.0 */
/* `metrics` may be NULL. */
#pragma once

#include "web/metrics.h"

struct hf_agent_counters {
    struct hf_metric_family *statuses, *refused, *events, *resyncs, *image_refusals;
    struct hf_metric *plans, *leaps;
};

void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics);
/* "delivered" or "failed" */
void hf_counters_add_status(struct hf_agent_counters *counters, const char *result);
/* "sent", "refused", "failed" (again later), "dropped" (no room) */
void hf_counters_add_event(struct hf_agent_counters *counters, const char *result);
void hf_counters_add_refused(struct hf_agent_counters *counters, const char *kind);
/* "asked" or "failed" */
void hf_counters_add_resync(struct hf_agent_counters *counters, const char *result);
/* of enum hf_image_verdict */
void hf_counters_add_image_refusal(struct hf_agent_counters *counters, const char *verdict);
void hf_counters_add_leap(struct hf_agent_counters *counters);
void hf_counters_add_plan(struct hf_agent_counters *counters);
