/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.h - a table of functions that return the time, and units of time.
 *
 * All code computes in uint64_t nanoseconds. It measures durations with the monotonic clock, and counts dates from
 * 1970. A module gets its clock from its caller; no global clock exists. Threads: each header that declares a table
 * states the rule. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/time/range.h"

#define HF_NS_PER_US 1000ull
#define HF_NS_PER_MS 1000000ull
#define HF_NS_PER_S 1000000000ull
#define HF_NEVER UINT64_MAX /* a deadline that never comes */

struct hf_clock_ops {
    void *ctx;
    uint64_t (*mono_ns)(void *ctx); /* like CLOCK_BOOTTIME: never goes back, and runs while the machine sleeps */
    uint64_t (*unix_ns)(void *ctx); /* the time since 1970; may jump forward and back */
    /* Each of the next three pointers may be NULL; see hf_clock_sync_error_ns(), hf_clock_range() and
     * hf_clock_signed_evidence(). */
    uint64_t (*sync_error_ns)(void *ctx);
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

/* Returns the greatest error of unix_ns() while a time server keeps the clock right (NTP, PTP). Returns HF_NEVER if no
 * time server keeps the clock right, or if the error is unknown. */
static inline uint64_t hf_clock_sync_error_ns(const struct hf_clock_ops *clock)
{
    return clock->sync_error_ns != NULL ? clock->sync_error_ns(clock->ctx) : HF_NEVER;
}

/* Returns the range in which the present time lies. If the clock computes no range, both ends of the range are the
 * clock's own time. */
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

/* Gives the clock evidence of the time: a trusted key signed at `unix_ns`, so the present time is not before `unix_ns`.
 * A clock that keeps a lower bound of the time raises this bound to `unix_ns`. Other clocks ignore the call. */
static inline void hf_clock_signed_evidence(const struct hf_clock_ops *clock, uint64_t unix_ns)
{
    if (clock->signed_evidence != NULL)
        clock->signed_evidence(clock->ctx, unix_ns);
}
