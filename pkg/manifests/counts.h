/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of the engine. */
#pragma once

#include "api/manifest_reason.h"
#include "web/metrics.h"

struct hf_manifest_counts {
    struct hf_metric_family *outcomes; /* label `phase`: Applied, RolledBack, Refused */
    struct hf_metric *repairs, *looks, *removals;
};

void hf_manifest_counts_init(struct hf_manifest_counts *counts, struct hf_metrics *metrics);
void hf_manifest_counts_phase(const struct hf_manifest_counts *counts, enum hf_manifest_phase phase);
