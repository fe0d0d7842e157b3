/* telemetry/pipeline/pipeline.h - what happens to an event between its source and the spool.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Findings, and events that are already marked as anomalies, only go through redaction and enrichment. The value that
 * begins an anomaly passes raw, together with the `after` values that follow, whatever the filters decide. The
 * pipeline emits the finding, the values before it and the end of the anomaly as events of their own, which have no id
 * yet. It aggregates finite metrics of this node (no origin) that are not aggregated yet.
 *
 * At the end of each window, or every 60 s, the pipeline emits its counts: holdfast_suppressed {suppressedSource},
 * holdfast_series_refused, holdfast_top {attribute, value, error}.
 *
 * Threads: any one at a time.  Memory: allocates nothing per event once its series and windows exist.  Pure: no clock
 * and no file; the only call outwards is `emit`. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event. Returns 0 or -errno (-EAGAIN: later); hf_pipeline_offer() passes the error on, and its state is
 * then as if the event had never been offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows `spec` and `node_labels` (an object of strings; may be NULL) until hf_pipeline_free(). NULL on OOM. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* Returns enum hf_offer (STORED if emit took the event), or -errno of emit; -E2BIG: redaction made the event too
 * large. Calls emit at most once for the event, then for findings; a finding that emit refuses waits for the next call
 * and does not fail the offer. now_ns: monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Emits ended windows, absences and counts. -EAGAIN of emit: call again later, and it resumes where it stopped. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* Monotonic time of the next tick, or HF_NEVER. After -EAGAIN, this is one second later, but call hf_pipeline_tick()
 * earlier if there is room earlier. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Emits open windows as they are; call it before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;         /* number of series in the table now */
    uint64_t series_refused; /* events that got no series because of maxSeries */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
