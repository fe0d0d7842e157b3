/* telemetry/pipeline/filter.h - which events are kept: dropped by a rule, not severe enough, not in the sample, too many. Pure.
 *
 * The first rule of a list that an event matches decides. A sample is taken by the id of an event (its content when it has none), so
 * the same event is always kept or never, and of two samples of one stream the smaller is part of the larger. Rates are counted for each
 * source name on its own, up to HF_FILTER_BUCKETS of them; further ones share. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_SOURCE = 120 };

enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    uint64_t tokens_ns; /* what is left, times 10^9 */
    uint64_t filled_ns; /* monotonic */
    uint64_t suppressed;
    uint32_t rule;
    char source[HF_FILTER_SOURCE]; /* "*": all that found no room */
    size_t source_n;
};

struct hf_filter {
    const struct hf_telemetry *spec; /* borrowed */
    struct hf_token_bucket *buckets; /* made with the first event that a rate is about */
    size_t n_buckets;
    struct hf_token_bucket *taken; /* by the event last judged */
};

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec);
void hf_filter_done(struct hf_filter *filter);

/* Whether a drop rule is about it. */
bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event);
/* The rest, in order. minSeverity is about logs alone. A suppressed event is counted; one that is kept only counts against its rate with
 * hf_filter_commit(). */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);

/* Where in 0..1 an event falls: kept by samples above that. */
double hf_filter_sample_position(const struct hf_event *event);
