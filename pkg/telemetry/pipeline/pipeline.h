/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that events pass between source and spool:
 *
 *     drop -> redact attributes -> anomalies -> minSeverity (logs only) -> sample -> rate limit
 *          -> aggregate, or redact body -> enrich
 *
 * Threads: any, one at a time. Pure except for `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event. -EAGAIN: again later. If it fails for the offered event, the stages learn nothing. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows both. `node_labels` maps names to strings; may be NULL. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* Emits the event and findings; before an aggregated metric, what waits from the last window. Returns enum hf_offer or
 * -errno for the event. -EAGAIN, -ENOMEM: offer it again. -E2BIG: too long, maybe by redaction. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Emits ended windows, absences and counts. -EAGAIN (also no memory): call it again. Other errors of `emit` only lose
 * that event. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* When hf_pipeline_tick() is due, or HF_NEVER. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Emits the open windows, before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

/* `filtered`: by minSeverity; `dropped`: by drop rules; `passed`: emitted singly. */
struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;
    uint64_t series_refused;
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
