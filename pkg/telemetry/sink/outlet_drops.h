/* telemetry/sink/outlet_drops.h - counts the events that a spool dropped to make room, by source class and severity. It
 * keeps each count until the outlet has reported it as a finding.
 *
 * Threads: loop thread only.  Memory: plain values. */
#pragma once

#include "spool/store.h"
#include "telemetry/sink/outlet_metrics.h"

/* time from a drop to its report; further drops in this time add to the counts */
#define HF_OUTLET_DROPS_WAIT_NS (10 * HF_NS_PER_S)

struct hf_outlet_drops {
    struct hf_spool_dropped entries[HF_SPOOL_MAX_TAGS]; /* counts; the first entry whose `records` is 0 ends the list */
    uint64_t due_ns; /* monotonic time of the next report; HF_NEVER: nothing to report */
};

/* Adds the counts of `dropped` to `drops` and to the metrics. The list ends with an entry whose `records` is 0. */
void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped);

/* Returns the last count of the list, or NULL if the list is empty. The caller reports this count and then sets its
 * `records` to 0, which removes it from the list. */
struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops);

/* Appends to *line the event that reports one count. */
HF_MUST_USE int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                                       struct hf_buf *line);
