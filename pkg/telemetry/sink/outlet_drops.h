/* telemetry/sink/outlet_drops.h - counts of the events that a spool dropped to make room, by source class and
 * severity, until the outlet has reported them as findings.
 *
 * Threads: loop thread only.  Memory: plain values. */
#pragma once

#include "spool/store.h"
#include "telemetry/sink/outlet_metrics.h"

#define HF_OUTLET_DROPS_WAIT_NS (10 * HF_NS_PER_S) /* time for which counts collect before the outlet reports them */

struct hf_outlet_drops {
    struct hf_spool_dropped entries[HF_SPOOL_MAX_TAGS]; /* counts; the first entry without records ends the list */
    uint64_t due_ns; /* monotonic time of the next report; HF_NEVER: nothing to report */
};

/* Counts `dropped`, a list that ends with an entry without records, here and in the metrics. */
void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped);

/* The last count, or NULL; the caller reports it and sets its `records` to 0. */
struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops);

/* Appends the line of the finding that reports one count. */
HF_MUST_USE int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                                       struct hf_buf *line);
