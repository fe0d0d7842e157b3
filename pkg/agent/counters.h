/* SPDX-License-Identifier: Apache-2.0 */
/* agent/counters.h - the metrics that the parts of an agent increment. agent/gauges.h has the metrics that the agent
 * measures at each scrape. Threads: loop thread only. */
#pragma once

#include "web/metrics.h"

struct hf_agent_counters {
    struct hf_metric_family *statuses, *refused, *events, *resyncs;
    struct hf_metric *plans, *leaps;
};

/* Registers the counters. If `metrics` is NULL, the functions that add to the counters do nothing. */
void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics);
/* Counts a write of the status; `result` is "delivered" or "failed". */
void hf_counters_add_status(struct hf_agent_counters *counters, const char *result);
/* Counts an Event; `result` is "sent", "refused", "failed" (the agent tries again) or "dropped" (the queue was full, or
 * memory ran out). */
void hf_counters_add_event(struct hf_agent_counters *counters, const char *result);
void hf_counters_add_refused(struct hf_agent_counters *counters, const char *kind);
/* Counts a request to the time service of this node; `result` is "asked" or "failed". */
void hf_counters_add_resync(struct hf_agent_counters *counters, const char *result);
/* Counts a leap of the wall clock. */
void hf_counters_add_leap(struct hf_agent_counters *counters);
void hf_counters_add_plan(struct hf_agent_counters *counters);
