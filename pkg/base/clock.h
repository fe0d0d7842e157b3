/* SPDX-License-Identifier: Apache-2.0 */
/* The time as a table of functions, in uint64_t nanoseconds: durations by the monotonic clock, dates from 1970. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/time/range.h"

#define HF_NS_PER_US 1000ull
#define HF_NS_PER_MS 1000000ull
#define HF_NS_PER_S 1000000000ull
#define HF_NEVER UINT64_MAX

struct hf_clock_ops {
    void *ctx;
    uint64_t (*mono_ns)(void *ctx);       /* CLOCK_BOOTTIME: it never goes back, and counts sleep */
    uint64_t (*unix_ns)(void *ctx);       /* may jump */
    uint64_t (*sync_error_ns)(void *ctx); /* This and the next two may be NULL. */
    void (*range)(void *ctx, struct hf_time_range *ret_range);
    void (*signed_evidence)(void *ctx, uint64_t unix_ns);
};

static inline uint64_t hf_mono_ns(const struct hf_clock_ops *clock)
{
    return clock->mono_ns(clock->ctx);
}

static inline uint64_t hf_unix_ns(const struct hf_clock_ops *clock)
{
    return clock->unix_ns(clock->ctx);
}

/* Returns the clock's error while a time server keeps it right (NTP, PTP); HF_NEVER: none does, or unknown. */
static inline uint64_t hf_clock_sync_error_ns(const struct hf_clock_ops *clock)
{
    return clock->sync_error_ns != NULL ? clock->sync_error_ns(clock->ctx) : HF_NEVER;
}

/* A clock that computes no range gives its own time as both ends. */
static inline struct hf_time_range hf_clock_range(const struct hf_clock_ops *clock)
{
    struct hf_time_range range = {.agreement = HF_TIME_AGREED};

    if (clock->range != NULL) {
        clock->range(clock->ctx, &range);
        return range;
    }
    range.earliest_unix_ns = range.latest_unix_ns = range.estimate_unix_ns = range.other_unix_ns = hf_unix_ns(clock);
    return range;
}

/* Reports that a trusted key signed at `unix_ns`, which raises the lower bound, if any. */
static inline void hf_clock_signed_evidence(const struct hf_clock_ops *clock, uint64_t unix_ns)
{
    if (clock->signed_evidence != NULL)
        clock->signed_evidence(clock->ctx, unix_ns);
}
