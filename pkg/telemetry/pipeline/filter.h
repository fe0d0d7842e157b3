/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/filter.h - decides which events the pipeline keeps, by the policy's drop rules, minimum severity,
 * sampling rules and rate limits.
 *
 * In each list of rules, the first rule that matches an event decides. Sampling depends only on the event's id or, if
 * the event has no id, on its source, time, name and body. So an event that comes again gets the same decision, and a
 * rule with a larger fraction keeps every event that a rule with a smaller fraction keeps. Each rate limit has a token
 * bucket for each source name that it applies to, and each owner (event.h): nobody uses up the rate of another one. One
 * more bucket of each rate limit and owner serves all names that are empty, longer than HF_FILTER_SOURCE, or left
 * without a bucket. All HF_FILTER_BUCKETS are for the agent's own sources; one poster may take HF_FILTER_OWNED of them,
 * and all posters together half.
 *
 * Pure; times are arguments. Memory: the filter allocates the buckets at the first event to which a rate limit
 * applies. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_OWNED = 32, HF_FILTER_SOURCE = 120 };

/* HF_FILTER_KEPT means that the filter keeps the event. The other values say what removes the event: a drop rule
 * (HF_FILTER_DROPPED), minSeverity (HF_FILTER_BELOW), a sampling rule (HF_FILTER_SAMPLED) or a rate limit
 * (HF_FILTER_LIMITED). hf_filter_judge() never returns HF_FILTER_DROPPED. */
enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    uint64_t tokens_ns;  /* tokens left in the bucket, in units of 10^-9 tokens */
    uint64_t filled_ns;  /* monotonic time at which tokens were last added */
    uint64_t suppressed; /* number of events that the bucket refused and that are not reported yet */
    uint32_t rule;       /* index of the rate limit in spec->rates */
    uint64_t owner;      /* of the events (event.h) */
    /* name of the source; "*" for the bucket of all names that have no own bucket */
    char source[HF_FILTER_SOURCE];
    size_t source_n;
};

struct hf_filter {
    const struct hf_telemetry *spec; /* borrowed */
    struct hf_token_bucket *buckets; /* array of buckets; NULL before the first event to which a rate limit applies */
    size_t n_buckets;
    /* bucket of the event that hf_filter_judge() kept last; NULL if no rate limit applies to the event */
    struct hf_token_bucket *taken;
};

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec);
void hf_filter_done(struct hf_filter *filter);

/* Returns true if a drop rule matches the event. */
bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event);
/* Applies minSeverity (to logs only), the sampling rules and the rate limits, in this order. If a rate limit suppresses
 * the event, counts the event in `suppressed` of the token bucket. If the filter keeps the event, call
 * hf_filter_commit() when the event is stored; hf_filter_commit() takes a token out of the bucket. */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);
