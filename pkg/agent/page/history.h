/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps 24 hours of figures for plots, a sample every 2 minutes. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_PAGE_SAMPLES = 720,
    HF_PAGE_SAMPLE_S = 120,
    HF_PAGE_SERIES_MAX = 8,
};

struct hf_page_series {
    const char *name;
    bool is_rate; /* a growing sum; its growth per second is kept */
};

struct hf_page_history;

/* Borrows `series`. */
struct hf_page_history *hf_page_history_new(const struct hf_page_series *series, size_t n);
void hf_page_history_free(struct hf_page_history *history);

bool hf_page_history_is_due(const struct hf_page_history *history, uint64_t mono_ns);
/* A value NAN is unknown. */
void hf_page_history_add(struct hf_page_history *history, uint64_t mono_ns, const double *values);

/* Appends {"ages": [SECONDS, ...], "series": {NAME: [VALUE or null, ...]}}, oldest first. -E2BIG. */
HF_MUST_USE int hf_page_history_format(const struct hf_page_history *history, uint64_t mono_ns, struct hf_buf *out);
