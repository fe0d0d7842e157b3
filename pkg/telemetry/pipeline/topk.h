/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/topk.h - finds the values of an attribute that occur most often, and needs only a fixed number of
 * counters for it (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data
 * streams", Space-Saving).
 *
 * If a value has no counter and all counters are in use, the value takes over the counter with the smallest count. The
 * counter then continues from this smallest count, and `error` records the smallest count. So a count is never too low,
 * and is too high by at most `error`. With n counters, every value with more than 1/n of the occurrences has a counter.
 *
 * Threads: any, but only one at a time for one struct hf_topk. Memory: only hf_topk_init() allocates. */
#pragma once

#include "base/buf.h"

/* maximum size in bytes of boundary, zero byte and value together; a longer boundary or value is truncated */
enum { HF_TOPK_VALUE = 96 };

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE]; /* the boundary, a zero byte, then the value */
    uint8_t n;                 /* number of bytes of `value` in use */
};

struct hf_topk {
    uint64_t *hashes; /* hash of the value of each entry; a separate array, so that a search reads only n words */
    struct hf_topk_entry *entries;
    size_t n, size;
    uint64_t total;
};

/* Allocates 4 k + 16 counters, which is enough to report the k most frequent values. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_topk_init(struct hf_topk *top, size_t k);
void hf_topk_done(struct hf_topk *top);
void hf_topk_clear(struct hf_topk *top);

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value);

/* Sorts the entries by count, the largest first. */
void hf_topk_sort(struct hf_topk *top);
/* hf_topk_boundary() and hf_topk_value() return views into the entry. */
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
