/* SPDX-License-Identifier: Apache-2.0 */
/* From source to spool:
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Threads: any, one at a time. Allocates for new series and windows only. Pure except for `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event. -EAGAIN: again later. If it fails for the offered event, the offer returns that error, and changes
 * nothing. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows both. `node_labels`: names to strings; may be NULL. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* enum hf_offer, or `emit`'s -errno. -E2BIG: after redaction. -EAGAIN: `emit`'s, an unfinished last window, no memory
 * for the aggregate. -ENOMEM: redaction. Emits the last window's rest, the event once at most, then findings, whose
 * failures do not show: they wait after -EAGAIN, else are lost. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Ended windows, absences, counts. -EAGAIN (also no memory): call it again. Other errors lose that event. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* When hf_pipeline_tick() is due, or HF_NEVER. If it could not store: a second later; earlier with room. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Open windows, before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

/* `filtered`: minSeverity; `dropped`: drop rules; `passed`: raw. */
struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;
    uint64_t series_refused; /* full table, no memory, too long */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
