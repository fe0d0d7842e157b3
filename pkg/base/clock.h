/* base/clock.h - a table of functions that return the time, and units of time.
 *
 * All code computes in uint64_t nanoseconds: durations with the monotonic clock, dates as time since 1970. A module
 * gets its clock from its caller; no global clock exists. Threads: each header that declares a table states the
 * rule. */
#pragma once

#include <stdint.h>

#define HF_NS_PER_US 1000ull
#define HF_NS_PER_MS 1000000ull
#define HF_NS_PER_S 1000000000ull
#define HF_NEVER UINT64_MAX /* a deadline that never comes */

struct hf_clock_ops {
    void *ctx;
    uint64_t (*mono_ns)(void *ctx); /* like CLOCK_BOOTTIME: never goes back, and runs while the machine sleeps */
    uint64_t (*unix_ns)(void *ctx); /* wall clock since 1970; may jump (node/clock.h adds a floor) */
};

static inline uint64_t hf_mono_ns(const struct hf_clock_ops *clock)
{
    return clock->mono_ns(clock->ctx);
}

static inline uint64_t hf_unix_ns(const struct hf_clock_ops *clock)
{
    return clock->unix_ns(clock->ctx);
}
