/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/pipeline.h - filters, redacts, aggregates and checks events between source and spool.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Findings and events with `anomaly` only pass redaction and enrichment. The value that begins an anomaly and the next
 * `after` values are emitted raw, whatever minSeverity, sample and rate limit say, and are in the window's aggregate
 * too. New events, without an id: findings at begin and end, the raw values before. With a window, raw metrics of this
 * node (no origin) are aggregated; dropped if not finite or if the table of series is full. At the end of each window
 * (or 60 s): holdfast_suppressed {suppressedSource}, holdfast_series_refused, holdfast_top {attribute, value, error}.
 *
 * Threads: any, one at a time. No allocation for an event of an existing series and window. Pure but for `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event; 0 or -errno, -EAGAIN: emit it again later. If it fails for the offered event, the offer returns that
 * error and the state is as if it was never offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows both until freed. `node_labels`: a JSON object of strings or NULL. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* Returns enum hf_offer or -errno of `emit`. -E2BIG: too large after redaction. -EAGAIN: from `emit`, the last window
 * is not yet emitted, or no memory for the aggregate. -ENOMEM: for redaction. Emits what remains of the last window,
 * then the event at most once, then findings, whose failures do not change the result: they wait after -EAGAIN, else
 * are lost. now_ns is monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Emits ended windows, absences and counts. -EAGAIN (also without memory): call again, it resumes at that event. An
 * event with another error is lost. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* When to call hf_pipeline_tick() (monotonic) or HF_NEVER. One second after a call that could not store the pipeline's
 * own events; earlier if there is room. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Emits open windows now; before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

/* `filtered`: minSeverity; `dropped`: drop rules; `passed`: emitted raw. */
struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;
    uint64_t series_refused; /* values without a series: table full, no memory, or name and attributes too long */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
