/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/pipeline.h - filters, redacts, aggregates and checks events between their source and the spool.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Findings, and events whose `anomaly` is already true, go only through redaction and enrichment. When an anomaly
 * begins, the pipeline emits raw the value that begins it and the next values; the field `after` of the anomaly rule is
 * the number of these next values. minSeverity, sample and rate limit do not stop these raw values, and the aggregate
 * of the window contains them, too. The pipeline also emits new events, without an id: a finding when an anomaly
 * begins, the raw values before the anomaly, and a finding when the anomaly ends. If the policy sets an aggregation
 * window, the pipeline aggregates each metric whose value is raw and whose event has no origin (which means that this
 * node observed it). The pipeline drops such a metric if the value is not finite, or if the table of series is full.
 *
 * At the end of each window, or every 60 s if the policy sets no window, the pipeline emits its counts:
 * holdfast_suppressed {suppressedSource}, holdfast_series_refused, holdfast_top {attribute, value, error}.
 *
 * Threads: any, but only one at a time for one pipeline. Memory: the pipeline allocates no memory for an event whose
 * series and window exist already. Pure; the pipeline calls no function of the caller except `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* The caller's function that stores an event which the pipeline emits. Returns 0 or -errno; -EAGAIN means that there is
 * no room now, and that the pipeline can emit the event again later. If the function fails for the offered event,
 * hf_pipeline_offer() returns this error, and the pipeline's state is as if nobody had offered the event. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Makes a pipeline, which borrows `spec` and `node_labels` until hf_pipeline_free(). `node_labels` is a JSON object of
 * strings, or NULL. Returns NULL if memory runs out. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* Offers an event. Returns enum hf_offer (HF_OFFER_STORED if `emit` stored the event) or the -errno of `emit`. -E2BIG:
 * redaction made the event too large. -EAGAIN: `emit` returned -EAGAIN, `emit` has not yet accepted the aggregates of
 * the last window, or there is no memory for the aggregate; offer the event again later. -ENOMEM: there is no memory
 * for redaction. May first call `emit` for what remains of the last window. Then calls `emit` at most once for the
 * event, and after that for findings. If `emit` returns -EAGAIN for a finding, the finding waits for the next call of a
 * pipeline function; after another error the finding is lost. Failures for findings do not change the result for the
 * offered event. now_ns is the monotonic time. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Emits the aggregates of ended windows, findings about absences, and counts. If `emit` returns -EAGAIN or memory runs
 * out, hf_pipeline_tick() stops and returns -EAGAIN; the next call resumes at the event that was not stored. If `emit`
 * returns another error, the event is lost and the function continues. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* Returns the monotonic time at which to call hf_pipeline_tick() next, or HF_NEVER. If a call could not store events of
 * the pipeline's own (aggregates, findings and counts), these events wait, and the time is one second after this failed
 * call; if there is room earlier, call hf_pipeline_tick() then. If only the offered event was refused, the time is
 * unchanged. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Emits the aggregates of open windows now, although these windows have not ended. Call this function before
 * hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

/* Counts since hf_pipeline_new(). `filtered` counts events below minSeverity, `dropped` those that a drop rule matched,
 * `sampled` those that a sampling rule left out, `passed` the offered events that the pipeline emitted raw, and
 * `anomalies` the anomalies that began. */
struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series; /* number of series in the table of series now */
    /* number of values that got no series, because the table of series was full, memory ran out, or name and attributes
     * were too long */
    uint64_t series_refused;
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
