/* SPDX-License-Identifier: Apache-2.0 */
/* Records dropped to make room (by class and severity) and lost by the disk (HF_SPOOL_TAG_LOST), until they are
 * reported. */
#pragma once

#include "spool/store.h"
#include "telemetry/sink/outlet_metrics.h"

/* time from a first drop to its report */
#define HF_OUTLET_DROPS_WAIT_NS (10 * HF_NS_PER_S)

struct hf_outlet_drops {
    struct hf_spool_dropped entries[HF_SPOOL_MAX_TAGS]; /* ends at 0 records */
    uint64_t due_ns;                                    /* when to report; HF_NEVER: nothing */
};

void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped);

/* Returns an entry to report, or NULL. Set its `records` to 0 once it is reported. */
struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops);

/* Writes the entry as a finding's line. */
HF_MUST_USE int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                                       struct hf_buf *line);
