/* telemetry/pipeline.h - what happens to an event between its source and the disk. Pure: no clock, no file, no call but `emit`.
 *
 *     match/drop -> minSeverity -> sample -> rate limit -> redact -> enrich -> anomalies -> aggregate or pass
 *
 * Findings and anomalies pass filter, sampling and aggregation. Suppressed counts come out as events of class AGENT at the end of each
 * window (or 60 s). No allocation per event once the series and windows it touches exist. */
#pragma once

#include "telemetry/event.h"
#include "telemetry/intake.h"

struct hf_pipeline;

/* Takes an event that shall be stored. 0 or -errno (-EAGAIN), which hf_pipeline_offer() returns unchanged: state is then as if the
 * event had not been offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* `spec` and `node_labels` (object of strings, may be NULL) are borrowed until freed. NULL on OOM. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* enum hf_offer (STORED when emit took it or something made of it at once), or -errno of emit. now_ns: monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Windows that ended, absences, suppressed counts. -EAGAIN of emit: called again later it goes on where it stopped. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline); /* monotonic; HF_NEVER */
/* Before it is freed or the process ends: open windows come out as they are. */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series, series_refused; /* beyond maxSeries */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
