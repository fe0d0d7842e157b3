/* SPDX-License-Identifier: Apache-2.0 */
/* Applies drop rules, minimum severity, sampling and rate limits. The first rule of a list that matches decides. Rates
 * count per source and owner (event.h). Pure. */
#pragma once

#include "base/bucket.h"
#include "telemetry/event/event.h"

enum { HF_FILTER_BUCKETS = 256, HF_FILTER_OWNED = 32, HF_FILTER_SOURCE = 120 };

enum hf_filter_result { HF_FILTER_KEPT, HF_FILTER_DROPPED, HF_FILTER_BELOW, HF_FILTER_SAMPLED, HF_FILTER_LIMITED };

struct hf_token_bucket {
    struct hf_bucket tokens;
    uint64_t suppressed; /* events that are not reported yet */
    uint32_t rule;       /* index in spec->rates */
    uint64_t owner;
    char source[HF_FILTER_SOURCE]; /* "*": all sources without a bucket of their own */
    size_t source_n;
};

struct hf_filter {
    const struct hf_telemetry *spec;
    struct hf_token_bucket *buckets;
    size_t n_buckets;
    struct hf_token_bucket *taken;
    uint64_t taken_ns;
};

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec);
void hf_filter_done(struct hf_filter *filter);

bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event);
/* Applies minSeverity (logs only), sampling and rate limits. Once a kept event is stored, hf_filter_commit() takes the
 * token. */
enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns);
void hf_filter_commit(struct hf_filter *filter);
