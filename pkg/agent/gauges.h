/* SPDX-License-Identifier: Apache-2.0 */
/* agent/gauges.h - the metrics that the agent measures at each scrape: contact, clock, objects, phases, disks, network
 * and others. Threads: loop thread only. */
#pragma once

#include "agent/parts.h"
#include "web/metrics.h"

struct hf_gauges;

/* Registers the gauges. Borrows `parts` until hf_gauges_free(). Set parts->env before this call, and the other parts
 * before the first scrape; only parts->engine may stay NULL. The registry keeps the collector, so call hf_gauges_free()
 * only after the last scrape. -ENOMEM: *ret_gauges is unchanged. -ENOSPC: the registry has no place for another
 * collector (web/metrics.h); *ret_gauges is set, and the caller must free it. */
HF_MUST_USE int hf_gauges_new(struct hf_metrics *metrics, const struct hf_agent_parts *parts,
                              struct hf_gauges **ret_gauges);
void hf_gauges_free(struct hf_gauges *gauges);
