/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/topk.h - the most frequent values with a fixed number of counters (Space-Saving).
 *
 * A count is never too low and at most `error` too high; with n counters, every value above 1/n has one. Threads: any,
 * one at a time. */
#pragma once

#include "base/buf.h"

/* Boundary, zero byte and value together; truncated. */
enum { HF_TOPK_VALUE = 96 };

struct hf_topk_entry {
    uint64_t count, error;
    char value[HF_TOPK_VALUE]; /* boundary, zero byte, value */
    uint8_t n;                 /* bytes of `value` in use */
};

struct hf_topk {
    uint64_t *hashes; /* apart, so that a search reads n words */
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
/* Views into the entry. */
struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry);
struct hf_view hf_topk_value(const struct hf_topk_entry *entry);
