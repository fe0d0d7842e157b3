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

void hf_counters_add(struct hf_metric_family *family, const char *label)
{
    hf_metric_add(hf_metric_with(family, HF_LABELS(label)), 1);
}
