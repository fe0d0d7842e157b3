/* telemetry/pipeline/pipeline.h - filters, redacts, aggregates and checks events between their source and the spool.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs only) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Findings, and events whose `anomaly` is already true, go only through redaction and enrichment. The value that begins
 * an anomaly and the `after` values that follow pass raw, whatever the filters decide. The pipeline emits new events,
 * without an id, for the finding, for the raw values before the anomaly, and for the end of the anomaly. It aggregates
 * a metric if its value is finite and not aggregated yet and the event has no origin (it is from this node).
 *
 * At the end of each window, or every 60 s, the pipeline emits its counts: holdfast_suppressed {suppressedSource},
 * holdfast_series_refused, holdfast_top {attribute, value, error}.
 *
 * Threads: any, one at a time. Memory: an event allocates nothing if its series and window exist already. Pure: no
 * clock and no file; `emit` is the only call out of the pipeline. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Stores an event that the pipeline emits. Returns 0 or -errno; -EAGAIN means that the event can be stored later. After
 * an error for the offered event, hf_pipeline_offer() returns this error, and the pipeline's state is as if the event
 * had never been offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* Borrows `spec` and `node_labels` (an object of strings; may be NULL) until hf_pipeline_free(). NULL on OOM. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* Offers an event. Returns enum hf_offer (HF_OFFER_STORED if emit stored the event) or the -errno of emit. -E2BIG:
 * redaction made the event too large. Calls emit at most once for the event, and then for findings. If emit fails for a
 * finding, the finding waits for the next call, and the result for the event does not change. now_ns is monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Emits ended windows, absences and counts. If emit returns -EAGAIN, this function stops and returns -EAGAIN; the next
 * call resumes where this one stopped. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* Returns the monotonic time of the next hf_pipeline_tick(), or HF_NEVER. After -EAGAIN this time is one second later;
 * call hf_pipeline_tick() earlier if there is room earlier. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Emits open windows before their end. Call this function before hf_pipeline_free(). */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series;         /* number of series in the table now */
    uint64_t series_refused; /* events that got no series because of maxSeries */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
