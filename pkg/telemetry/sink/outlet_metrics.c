/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/outlet_metrics.h"

static struct hf_metric *counter_of(const struct hf_outlet_config *config, const char *name, const char *help)
{
    return hf_metric_with(hf_metric_family(config->env.metrics, HF_METRIC_COUNTER, name, help, HF_LABELS("sink")),
                          HF_LABELS(config->name));
}

static void register_counters(struct hf_outlet_metrics *all, const struct hf_outlet_config *config)
{
    struct hf_metrics *metrics = config->env.metrics;

    all->events = counter_of(config, "holdfast_telemetry_delivered_events_total", "Events that a sink accepted.");
    all->bytes = counter_of(config, "holdfast_telemetry_delivered_bytes_total",
                            "Bytes of the events that a sink accepted, before compression.");
    all->batches = counter_of(config, "holdfast_telemetry_batches_total", "Batches that a sink accepted.");
    all->deferred = counter_of(config, "holdfast_telemetry_deferred_batches_total",
                               "Batches deferred because a round of attempts ended without success.");
    all->rejected = counter_of(config, "holdfast_telemetry_rejected_events_total",
                               "Events that a sink reported as not kept although it accepted their batch.");
    all->lost = counter_of(config, "holdfast_telemetry_lost_events_total",
                           "Events on disk that the disk lost before the sink had them.");
    all->attempts = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_attempts_total",
                                     "Requests to a sink, by result.", HF_LABELS("sink", "reason"));
    all->dead = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dead_letter_events_total",
                                 "Events that a sink refuses for good, moved to the dead letters, by reason.",
                                 HF_LABELS("sink", "reason"));
    all->dropped =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dropped_events_total",
                         "Events dropped to make room for newer ones.", HF_LABELS("sink", "source", "severity"));
}

static void register_gauges(struct hf_outlet_metrics *all, const struct hf_outlet_config *config)
{
    static const struct {
        const char *name, *help;
    } of_lane[] = {{"holdfast_telemetry_queue_bytes", "Approximate bytes of the events on disk not delivered yet."},
                   {"holdfast_telemetry_disk_bytes", "Disk space of the queue, including preallocated space."},
                   {"holdfast_telemetry_queue_events", "Events on disk not delivered yet."}},
      of_sink[] = {{"holdfast_telemetry_queue_oldest_timestamp_seconds",
                    "Time at which the oldest waiting event was accepted; 0: no event waits."},
                   {"holdfast_telemetry_breaker_state", "0 closed, 1 open, 2 half open."},
                   {"holdfast_telemetry_concurrency", "Requests allowed in flight at the same time."},
                   {"holdfast_telemetry_backlog_held",
                    "1 while events older than a minute or two wait for spec.connectivity of the policy."}};
    struct hf_metrics *metrics = config->env.metrics;

    _Static_assert(HF_LEN(of_lane) == HF_LEN(all->of_lane) && HF_LEN(of_sink) == HF_LEN(all->of_sink),
                   "one family for each gauge");
    for (size_t i = 0; i < HF_LEN(of_lane); i++)
        all->of_lane[i] =
            hf_metric_family(metrics, HF_METRIC_GAUGE, of_lane[i].name, of_lane[i].help, HF_LABELS("sink", "lane"));
    for (size_t i = 0; i < HF_LEN(of_sink); i++)
        all->of_sink[i] =
            hf_metric_family(metrics, HF_METRIC_GAUGE, of_sink[i].name, of_sink[i].help, HF_LABELS("sink"));
}

void hf_outlet_metrics_register(struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config)
{
    static const double sync_bounds[] = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
    struct hf_metric_family *sync = hf_metric_histogram_family(
        config->env.metrics, "holdfast_telemetry_sync_seconds", "Time to write to the spool and sync it.",
        HF_LABELS("sink", "lane"), sync_bounds, HF_LEN(sync_bounds));

    register_counters(metrics, config);
    register_gauges(metrics, config);
    for (enum hf_lane i = 0; i < HF_LANES; i++) {
        const char *const *labels = HF_LABELS(config->name, hf_outlet_config_lane_name(i));
        metrics->lanes[i].queue_bytes = hf_metric_with(metrics->of_lane[0], labels);
        metrics->lanes[i].disk_bytes = hf_metric_with(metrics->of_lane[1], labels);
        metrics->lanes[i].queue_records = hf_metric_with(metrics->of_lane[2], labels);
        metrics->lanes[i].sync = hf_metric_with(sync, labels);
    }
    metrics->oldest = hf_metric_with(metrics->of_sink[0], HF_LABELS(config->name));
    metrics->breaker = hf_metric_with(metrics->of_sink[1], HF_LABELS(config->name));
    metrics->concurrency = hf_metric_with(metrics->of_sink[2], HF_LABELS(config->name));
    metrics->held = hf_metric_with(metrics->of_sink[3], HF_LABELS(config->name));
}

void hf_outlet_metrics_forget(const struct hf_outlet_metrics *metrics, const struct hf_outlet_config *config)
{
    for (size_t i = 0; i < HF_LEN(metrics->of_sink); i++)
        hf_metric_forget(metrics->of_sink[i], HF_LABELS(config->name));
    for (size_t i = 0; i < HF_LEN(metrics->of_lane); i++)
        for (enum hf_lane lane = 0; lane < HF_LANES; lane++)
            hf_metric_forget(metrics->of_lane[i], HF_LABELS(config->name, hf_outlet_config_lane_name(lane)));
}

void hf_outlet_metrics_show(const struct hf_outlet_metrics *metrics, const struct hf_outlet_state *state)
{
    for (size_t i = 0; i < HF_LANES; i++) {
        hf_metric_set(metrics->lanes[i].queue_bytes, (double)state->lanes[i].queued_bytes);
        hf_metric_set(metrics->lanes[i].disk_bytes, (double)state->lanes[i].store.bytes);
        hf_metric_set(metrics->lanes[i].queue_records, (double)state->lanes[i].queued);
    }
    hf_metric_set(metrics->oldest, (double)state->oldest_unix_ns / (double)HF_NS_PER_S);
    hf_metric_set(metrics->breaker, (double)state->breaker);
    hf_metric_set(metrics->concurrency, (double)state->concurrency);
    hf_metric_set(metrics->held, state->waiting_for != NULL);
}
