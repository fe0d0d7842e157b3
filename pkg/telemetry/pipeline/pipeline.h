/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, redacts, aggregates and checks events between source and spool.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Threads: any, one at a time. No allocation for an event of an existing series and window. Pure but for `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event. 0 or -errno; -EAGAIN: emit it again later. If it fails for the offered event, the offer returns that
 * error, and the state is as if it was never offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows both. `node_labels`: names to strings, or NULL. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* enum hf_offer, or `emit`'s -errno. -E2BIG: after redaction. -EAGAIN: by `emit`, an unfinished last window, no memory
 * for the aggregate. -ENOMEM: redaction. Emits the last window's rest, the event once at most, then findings, whose
 * failures do not show: they wait after -EAGAIN, else are lost. now_ns: monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Ended windows, absences, counts. -EAGAIN (also no memory): call again, it goes on there. Other errors: that event is
 * lost. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* When to call hf_pipeline_tick() (monotonic), or HF_NEVER. A second after a call that could not store the
 * pipeline's own; earlier with room. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Open windows, now; before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

/* `filtered`: minSeverity; `dropped`: drop rules; `passed`: raw. */
struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;
    uint64_t series_refused; /* full table, no memory, too long */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
