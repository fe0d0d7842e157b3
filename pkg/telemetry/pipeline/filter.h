/* telemetry/pipeline/filter.h - decides which events the pipeline keeps: by drop rules, minimum severity, samples and
 * rate limits.
 *
 * In each list of rules, the first rule that matches an event decides. Sampling depends on the event's id, or on its
 * content if the event has no id. So repetitions of an event always get one decision, and of two samples of one source,
 * the smaller is part of the larger. For rates, each source name has a token bucket of its own; if there are more than
 * HF_FILTER_BUCKETS names, the further names share one bucket.
 *
 * Pure: times are arguments. Memory: the filter allocates the buckets at the first event that a rate applies to. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_SOURCE = 120 };

enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    uint64_t tokens_ns;  /* tokens left, in units of 10^-9 */
    uint64_t filled_ns;  /* monotonic */
    uint64_t suppressed; /* events refused and not reported yet */
    uint32_t rule;
    /* name of the source; "*" is the bucket for all names without a bucket of their own */
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
/* Applies minSeverity (logs only), samples and rates, in this order. Counts a suppressed event. For a kept event,
 * hf_filter_commit() takes the token out of the bucket. */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);
