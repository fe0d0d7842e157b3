/* telemetry/pipeline/filter.h - decides which events the pipeline keeps: drop rules, minimum severity, samples, rate
 * limits.
 *
 * The first rule of a list that matches an event decides. Sampling depends on the event's id (on its content if it
 * has none), so the same event is always kept or always not, and the smaller of two samples of one source is part of
 * the larger. Each source name has its own token bucket for rates, up to HF_FILTER_BUCKETS of them; further names
 * share one.
 *
 * Pure: times come in as arguments.  Memory: allocates the buckets with the first event that a rate applies to. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_SOURCE = 120 };

enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    uint64_t tokens_ns;  /* tokens left, in units of 10^-9 */
    uint64_t filled_ns;  /* monotonic */
    uint64_t suppressed; /* events refused and not reported yet */
    uint32_t rule;
    /* name of the source; "*": this bucket serves all names without a bucket of their own */
    char source[HF_FILTER_SOURCE];
    size_t source_n;
};

struct hf_filter {
    const struct hf_telemetry *spec; /* borrowed */
    struct hf_token_bucket *buckets; /* NULL until the first event to which a rate applies */
    size_t n_buckets;
    struct hf_token_bucket *taken; /* bucket of the event that hf_filter_suppresses() judged last */
};

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec);
void hf_filter_done(struct hf_filter *filter);

/* True if a drop rule matches the event. */
bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event);
/* Applies minSeverity (logs only), samples and rates, in this order. Counts a suppressed event; a kept one uses up its
 * token only with hf_filter_commit(). */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);

/* Returns the position of an event in 0..1; a sample keeps the events whose position is below its fraction. */
double hf_filter_sample_position(const struct hf_event *event);
