/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/counters.h"

void hf_counters_init(struct hf_agent_counters *counters, struct hf_metrics *metrics)
{
    counters->statuses = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_status_writes_total",
                                          "Writes of this node's EdgeNode status, by result.", HF_LABELS("result"));
    counters->refused = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_objects_refused_total",
                                         "Versions of objects that this node refused.", HF_LABELS("kind"));
    counters->events = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_events_total",
                                        "Kubernetes Events about this node, by result.", HF_LABELS("result"));
    counters->resyncs =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_clock_resyncs_total",
                         "Requests to the time service of this node to synchronize, by result.", HF_LABELS("result"));
    counters->image_refusals =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_image_refusals_total",
                         "Pulls of images that holdfast-verify refused, by reason.", HF_LABELS("reason"));
    counters->leaps = hf_metric_counter(metrics, "holdfast_clock_steps_total",
                                        "Leaps of the wall clock by more than the policy's clock.maxSkew.");
    counters->plans = hf_metric_counter(metrics, "holdfast_reconciles_total", "Computations of the desired state.");
}

void hf_counters_add_status(struct hf_agent_counters *counters, const char *result)
{
    hf_metric_add(hf_metric_with(counters->statuses, HF_LABELS(result)), 1);
}

void hf_counters_add_event(struct hf_agent_counters *counters, const char *result)
{
    hf_metric_add(hf_metric_with(counters->events, HF_LABELS(result)), 1);
}

void hf_counters_add_refused(struct hf_agent_counters *counters, const char *kind)
{
    hf_metric_add(hf_metric_with(counters->refused, HF_LABELS(kind)), 1);
}

void hf_counters_add_resync(struct hf_agent_counters *counters, const char *result)
{
    hf_metric_add(hf_metric_with(counters->resyncs, HF_LABELS(result)), 1);
}

void hf_counters_add_image_refusal(struct hf_agent_counters *counters, const char *verdict)
{
    hf_metric_add(hf_metric_with(counters->image_refusals, HF_LABELS(verdict)), 1);
}

void hf_counters_add_leap(struct hf_agent_counters *counters)
{
    hf_metric_add(counters->leaps, 1);
}

void hf_counters_add_plan(struct hf_agent_counters *counters)
{
    hf_metric_add(counters->plans, 1);
}
