/* agent/gauges.h - the metrics that the agent measures at each scrape: contact, clock, objects, phases, disks. Loop
 * thread only. */
#pragma once

#include "agent/parts.h"
#include "web/metrics.h"

struct hf_gauges;

/* Borrows `parts`, which the caller may complete later. NULL with -ENOMEM or a metrics table that is full. */
HF_MUST_USE int hf_gauges_new(struct hf_metrics *metrics, const struct hf_agent_parts *parts,
                              struct hf_gauges **ret_gauges);
void hf_gauges_free(struct hf_gauges *gauges);
