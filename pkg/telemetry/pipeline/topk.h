/* telemetry/pipeline/topk.h - finds the most frequent values of an attribute with a fixed number of counters (Metwally,
 * Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data streams", Space-Saving).
 *
 * When a value has no counter and all counters are in use, the value takes over the counter with the smallest count.
 * The value continues from that count, and `error` records that count. So a count is never too small, and is too large
 * by at most `error`. With n counters, every value with more than 1/n of the occurrences has a counter.
 *
 * Threads: one at a time.  Memory: only hf_topk_init() allocates. */
#pragma once

#include "base/buf.h"

enum { HF_TOPK_VALUE = 96 }; /* bytes of boundary and value; longer values are truncated */

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE]; /* boundary, zero byte, value */
    uint8_t n;                 /* bytes in use */
};

struct hf_topk {
    uint64_t *hashes; /* hashes of the values, in a separate array so that a search reads only n words */
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
/* These two functions return text that borrows from the entry. */
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
