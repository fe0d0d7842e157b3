/* base/clock.h - a table of functions that return the time, and units of time.
 *
 * All code computes in uint64_t nanoseconds: durations with the monotonic clock, dates as time since 1970. A module
 * gets its clock from its caller; no global clock exists. Threads: see the header that makes the table. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HF_NS_PER_US 1000ull
#define HF_NS_PER_MS 1000000ull
#define HF_NS_PER_S 1000000000ull
#define HF_NEVER UINT64_MAX /* a deadline that never comes */

struct hf_clock_ops {
    void *ctx;
    uint64_t (*mono_ns)(void *ctx); /* like CLOCK_BOOTTIME: never goes back, and runs while the machine sleeps */
    uint64_t (*unix_ns)(void *ctx); /* the time since 1970; may jump */
    /* May be NULL; see hf_clock_signed_evidence(). */
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

/* Call when a signature proves that the present time is not before `unix_ns`: a trusted key signed at that time. A clock
 * that keeps a lower bound raises it. Has no effect on other clocks. */
static inline void hf_clock_signed_evidence(const struct hf_clock_ops *clock, uint64_t unix_ns)
{
    if (clock->signed_evidence != NULL)
        clock->signed_evidence(clock->ctx, unix_ns);
}
