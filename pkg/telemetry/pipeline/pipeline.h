/* telemetry/pipeline/pipeline.h - what happens to an event between its source and the disk. Pure: no clock, no file, no call but `emit`.
 *
 *     drop -> redact -> anomalies -> minSeverity (logs alone) -> sample -> rate limit -> enrich -> aggregate or pass
 *
 * Findings, and events that are anomalies already, only pass redaction and enrichment. A value that begins an anomaly passes raw, with
 * `after` values that follow it, whatever the filters say; the finding, values from before, and that it ended are told as events of
 * their own, which have no id yet. What is aggregated: finite metrics of this node (no origin) that are not aggregated yet. Counts
 * come out at the end of each window, or every 60 s: holdfast_suppressed {source}, holdfast_series_refused, holdfast_top {attribute,
 * value, error}. No allocation per event once the series and windows it touches exist. */
#pragma once

#include "telemetry/event/event.h"
#include "telemetry/event/intake.h"

struct hf_pipeline;

/* Takes an event that shall be stored. 0 or -errno (-EAGAIN), which hf_pipeline_offer() returns unchanged: state is then as if the
 * event had not been offered. */
typedef int hf_pipeline_emit(void *arg, const struct hf_event *event);

/* `spec` and `node_labels` (object of strings, may be NULL) are borrowed until freed. NULL on OOM. */
struct hf_pipeline *hf_pipeline_new(const struct hf_telemetry *spec, const json_t *node_labels);
void hf_pipeline_free(struct hf_pipeline *pipeline);
HF_DEFINE_CLEANUP(struct hf_pipeline, hf_pipeline_free)

/* enum hf_offer (STORED when emit took it or something made of it at once), or -errno of emit; -E2BIG: redaction made it too large.
 * emit is called for the event itself at most once, then for findings, whose failure is not the offer's: they wait for the next
 * call. now_ns: monotonic. */
HF_MUST_USE int hf_pipeline_offer(struct hf_pipeline *pipeline, const struct hf_event *event, uint64_t now_ns,
                                  uint64_t unix_ns, hf_pipeline_emit *emit, void *arg);

/* Windows that ended, absences, suppressed counts. -EAGAIN of emit: called again later it goes on where it stopped. */
HF_MUST_USE int hf_pipeline_tick(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                 hf_pipeline_emit *emit, void *arg);
/* Monotonic; HF_NEVER. After -EAGAIN a second later: tick as soon as there is room is better. */
uint64_t hf_pipeline_wait_until_ns(const struct hf_pipeline *pipeline);
/* Before it is freed or the process ends: open windows come out as they are. */
HF_MUST_USE int hf_pipeline_flush(struct hf_pipeline *pipeline, uint64_t now_ns, uint64_t unix_ns,
                                  hf_pipeline_emit *emit, void *arg);

struct hf_pipeline_stats {
    uint64_t offered, filtered, dropped, sampled, rate_limited, aggregated, anomalies, passed;
    uint64_t series, series_refused; /* beyond maxSeries */
};
struct hf_pipeline_stats hf_pipeline_stats(const struct hf_pipeline *pipeline);
