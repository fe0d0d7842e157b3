/* SPDX-License-Identifier: Apache-2.0 */
/* Drops for room, by class and severity, and losses by the disk (HF_SPOOL_TAG_LOST), until reported. A plain value. */
#pragma once

#include "spool/store.h"
#include "telemetry/sink/outlet_metrics.h"

/* From a first drop to its report, for later ones to join. */
#define HF_OUTLET_DROPS_WAIT_NS (10 * HF_NS_PER_S)

struct hf_outlet_drops {
    struct hf_spool_dropped entries[HF_SPOOL_MAX_TAGS]; /* ends at 0 records */
    uint64_t due_ns;                                    /* HF_NEVER: none */
};

/* Also counts them, and logs losses. */
void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped);

/* Or NULL. Report it, then set `records` to 0. */
struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops);

/* As a finding. */
HF_MUST_USE int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                                       struct hf_buf *line);
