/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the most frequent values with a fixed number of counters (Space-Saving). A count is never too low, and at most
 * `error` too high. Threads: one at a time. */
#pragma once

#include "base/buf.h"

/* bytes of boundary, zero byte and value */
enum { HF_TOPK_VALUE = 96 };

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE];
    uint8_t n;
};

struct hf_topk {
    uint64_t *hashes;
    struct hf_topk_entry *entries;
    size_t n, size;
    uint64_t total;
};

HF_MUST_USE int hf_topk_init(struct hf_topk *top, size_t k);
void hf_topk_done(struct hf_topk *top);
void hf_topk_clear(struct hf_topk *top);

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value);

void hf_topk_sort(struct hf_topk *top);
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
