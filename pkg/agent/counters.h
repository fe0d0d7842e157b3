/* agent/counters.h - the metrics that the parts of an agent increment. agent/gauges.h has the metrics that the agent
 * measures at each scrape. Threads: loop thread only. */
#pragma once

#include "web/metrics.h"

struct hf_agent_counters {
    struct hf_metric_family *statuses, *refused, *events;
    struct hf_metric *plans;
};

/* Registers the counters. If `metrics` is NULL, the functions that add to the counters do nothing. */
void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics);
void hf_counters_add_status(struct hf_agent_counters *counters, const char *result);
/* `result` is sent, refused, failed (the agent tries again) or dropped (the queue was full). */
void hf_counters_add_event(struct hf_agent_counters *counters, const char *result);
void hf_counters_add_refused(struct hf_agent_counters *counters, const char *kind);
void hf_counters_add_plan(struct hf_agent_counters *counters);
