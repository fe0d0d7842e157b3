/* SPDX-License-Identifier: Apache-2.0 */
/* Most frequent values by a fixed number of counters (Space-Saving): never too low, at most `error` too high; n
 * counters have every value above 1/n. Threads: one at a time. */
#pragma once

#include "base/buf.h"

/* Boundary, zero byte, value; cut. */
enum { HF_TOPK_VALUE = 96 };

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE];
    uint8_t n; /* bytes in use */
};

struct hf_topk {
    uint64_t *hashes; /* apart, for the search */
    struct hf_topk_entry *entries;
    size_t n, size;
    uint64_t total;
};

/* 4 k + 16 counters. */
HF_MUST_USE int hf_topk_init(struct hf_topk *top, size_t k);
void hf_topk_done(struct hf_topk *top);
void hf_topk_clear(struct hf_topk *top);

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value);

/* Largest first. */
void hf_topk_sort(struct hf_topk *top);
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
