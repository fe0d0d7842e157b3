/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/parts.h"
#include "web/metrics.h"

struct hf_gauges;

/* Borrows `parts`: set `env` now, and all except `engine` before the first scrape. Free the gauges after the last
 * scrape, also after -ENOSPC (web/metrics.h). */
HF_MUST_USE int hf_gauges_new(struct hf_metrics *metrics, const struct hf_agent_parts *parts,
                              struct hf_gauges **ret_gauges);
void hf_gauges_free(struct hf_gauges *gauges);
