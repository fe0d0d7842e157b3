/* telemetry/pipeline/topk.h - which values of an attribute come most often, in a fixed number of counters (Metwally, Agrawal, El Abbadi 2005,
 * "Efficient computation of frequent and top-k elements in data streams", Space-Saving).
 *
 * A value without a counter takes over the smallest one and its count, kept as `error`: a count is never too small, and too large by
 * at most `error`. Values that come more often than 1/n of the time are all there. */
#pragma once

#include "base/buf.h"

enum { HF_TOPK_VALUE = 96 }; /* longer values are cut for comparison and display */

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE]; /* what it is about: boundary, NUL, value */
    uint8_t n;                 /* bytes of it */
};

struct hf_topk {
    uint64_t *hashes; /* apart from the entries, so that looking for one is a run over n words */
    struct hf_topk_entry *entries;
    size_t n, size;
    uint64_t total;
};

/* To report k: 4 k + 16 counters. -ENOMEM. */
HF_MUST_USE int hf_topk_init(struct hf_topk *top, size_t k);
void hf_topk_done(struct hf_topk *top);
void hf_topk_clear(struct hf_topk *top);

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value);

/* Largest first; afterwards entries[0..] are in that order. Value and boundary borrow from `top`. */
void hf_topk_sort(struct hf_topk *top);
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
