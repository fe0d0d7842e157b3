/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/counts.h"

void hf_manifest_counts_init(struct hf_manifest_counts *counts, struct hf_metrics *metrics)
{
    counts->outcomes =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_manifests_outcomes_total",
                         "Sets of manifest entries that came to their end, by phase.", HF_LABELS("phase"));
    counts->repairs =
        hf_metric_counter(metrics, "holdfast_manifests_drift_repairs_total",
                          "Repairs of files or objects of manifest entries that somebody changed or removed.");
    counts->looks =
        hf_metric_counter(metrics, "holdfast_manifests_drift_looks_total", "Looks for drift in manifest entries.");
    counts->removals = hf_metric_counter(metrics, "holdfast_manifests_removals_total",
                                         "Manifest entries that the node removed because no policy has them any more.");
}

void hf_manifest_counts_phase(const struct hf_manifest_counts *counts, enum hf_manifest_phase phase)
{
    if (phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK || phase == HF_MANIFEST_REFUSED)
        hf_metric_add(hf_metric_with(counts->outcomes, HF_LABELS(hf_manifest_phase_name(phase))), 1);
}
