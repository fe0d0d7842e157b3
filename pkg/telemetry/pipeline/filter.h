/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/filter.h - applies a policy's drop rules, minimum severity, sampling and rate limits.
 *
 * The first rule of a list that matches decides. Equal events get equal sampling; rate limits count for each source and
 * owner (event.h) alone. Pure. */
#pragma once

#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_OWNED = 32, HF_FILTER_SOURCE = 120 };

/* hf_filter_judge() never returns HF_FILTER_DROPPED. */
enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    uint64_t tokens_ns;  /* in 10^-9 tokens */
    uint64_t filled_ns;  /* monotonic */
    uint64_t suppressed; /* not yet reported */
    uint32_t rule;       /* index in spec->rates */
    uint64_t owner;
    char source[HF_FILTER_SOURCE]; /* "*": all names without a bucket */
    size_t source_n;
};

struct hf_filter {
    const struct hf_telemetry *spec; /* borrowed */
    struct hf_token_bucket *buckets; /* allocated when first needed */
    size_t n_buckets;
    struct hf_token_bucket *taken; /* the event's that hf_filter_judge() kept last, or NULL */
};

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec);
void hf_filter_done(struct hf_filter *filter);

bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event);
/* minSeverity (logs only), sampling, rate limits, in this order; counts in `suppressed`. For a kept event call
 * hf_filter_commit() when it is stored: it takes the token. */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);
