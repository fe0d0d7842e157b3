/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_drops.h - counts the events that a spool dropped to make room, by source class and severity,
 * and those that the disk lost (HF_SPOOL_TAG_LOST). Each count stays in the list until the outlet has reported the
 * count as a finding.
 *
 * Threads: loop thread only. Memory: struct hf_outlet_drops is a plain value. */
#pragma once

#include "spool/store.h"
#include "telemetry/sink/outlet_metrics.h"

/* Time between the first drop and the report about it. Drops during this time add to the same counts. */
#define HF_OUTLET_DROPS_WAIT_NS (10 * HF_NS_PER_S)

struct hf_outlet_drops {
    /* list of counts, which ends before the first entry whose `records` is 0 */
    struct hf_spool_dropped entries[HF_SPOOL_MAX_TAGS];
    uint64_t due_ns; /* monotonic time at which the next report is due; HF_NEVER if there is nothing to report */
};

/* Adds the counts in the list `dropped` to `drops` and to the metrics, and logs what the disk lost. An entry whose
 * `records` is 0 ends the list. */
void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped);

/* Returns the count at the end of the list, or NULL if the list is empty. The caller reports this count and then sets
 * the count's `records` to 0, which removes the count from the list. */
struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops);

/* Formats an event that reports the count *dropped, and appends its line to *line. */
HF_MUST_USE int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                                       struct hf_buf *line);
