/* node/time_bound.h - the lower bound of the present time: the time is not before it.
 *
 * The bound is the later of two parts. The first part, the proof, is the date of the build or the newest time at which
 * a trusted key signed; it never goes back. The second part follows the wall clock while a time server keeps that clock
 * right, forward or back, in small steps: for each second that passes, by at most one second. So a clock that is wrong
 * for some seconds moves the second part by some seconds only, and a clock that is wrong for days moves it by at most
 * that many days. Two witnesses that agree on an earlier time lower the second part at once. The Date of the server
 * alone never moves the bound. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01; each release moves it forward */

/* A clock whose stated error is greater counts as not synchronized. */
#define HF_TIME_SYNC_ERROR_MAX_NS (2 * HF_NS_PER_S)

/* The second part moves by at most this much between two readings, however long the pause between them was. */
#define HF_TIME_STEP_MAX_NS (60 * HF_NS_PER_S)

struct hf_time_bound {
    uint64_t proof_unix_ns;  /* the newest signed time, or the date of the build */
    uint64_t synced_unix_ns; /* second part at synced_mono_ns; from then on, it grows with the monotonic clock */
    uint64_t synced_mono_ns;
    bool synced_before; /* the last reading was synchronized */
};

/* `signed_unix_ns` and `synced_unix_ns` are the two parts as an earlier process saved them (0 means that none was
 * saved). */
void hf_time_bound_init(struct hf_time_bound *bound, uint64_t signed_unix_ns, uint64_t synced_unix_ns,
                        uint64_t mono_ns);

/* Returns the bound at mono_ns; hf_time_bound_synced_ns() returns only its second part. */
uint64_t hf_time_bound_ns(const struct hf_time_bound *bound, uint64_t mono_ns);
uint64_t hf_time_bound_synced_ns(const struct hf_time_bound *bound, uint64_t mono_ns);

/* Records a reading of the wall clock. `sync_error_ns` is the clock's stated error, or HF_NEVER if the clock is not
 * synchronized. */
void hf_time_bound_read(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t wall_unix_ns, uint64_t sync_error_ns);

/* Records that a trusted key signed at `unix_ns`. Returns true if the proof rose. */
bool hf_time_bound_signed(struct hf_time_bound *bound, uint64_t unix_ns);

/* Lowers the second part to `latest_unix_ns`, because two witnesses agree that the present is not after that time. Has
 * no effect on the proof. */
void hf_time_bound_lower(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t latest_unix_ns);
