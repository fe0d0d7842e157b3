/* telemetry/pipeline/topk.h - finds the most frequent values of an attribute with a fixed number of counters
 * (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data streams",
 * Space-Saving).
 *
 * A value without a counter takes over the smallest counter and its count, which it keeps as `error`. So a count is
 * never too small, and too large by at most `error`; with n counters, every value with more than 1/n of the
 * occurrences is present.
 *
 * Threads: one at a time.  Memory: allocates in hf_topk_init() only. */
#pragma once

#include "base/buf.h"

enum { HF_TOPK_VALUE = 96 }; /* bytes of boundary and value; longer values are truncated */

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE]; /* boundary, zero byte, value */
    uint8_t n;                 /* bytes in use */
};

struct hf_topk {
    uint64_t *hashes; /* counts, in an array of their own, so that a search reads n words */
    struct hf_topk_entry *entries;
    size_t n, size;
    uint64_t total;
};

/* Allocates 4 k + 16 counters, enough to report k values. -ENOMEM. */
HF_MUST_USE int hf_topk_init(struct hf_topk *top, size_t k);
void hf_topk_done(struct hf_topk *top);
void hf_topk_clear(struct hf_topk *top);

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value);

/* Sorts the entries by count, the largest first. */
void hf_topk_sort(struct hf_topk *top);
/* Both return text borrowed from the entry. */
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
