/* node/time_bound.h - the lower bound of the present time: the time is not before it.
 *
 * Two kinds of evidence raise the bound. Proof is the date of the build and the times at which trusted keys signed; it
 * never goes back. Besides, a clock that a time server keeps draws the second part of the bound toward itself in small
 * steps: for each second that passes, by one second at most. So a lie of seconds moves the bound by seconds, and a lie
 * of days by not more than its own length. The wall clock draws the bound back in the same steps, and two witnesses
 * that agree on an earlier time lower it at once, but not below the proof. The Date of the server alone never moves the
 * bound. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01; each release moves it forward */

/* A clock whose stated error is greater counts as not synchronized. */
#define HF_TIME_SYNC_ERROR_MAX_NS (2 * HF_NS_PER_S)

/* The longest time between two readings for which the bound may move; after a longer pause it moves by this much. */
#define HF_TIME_STEP_MAX_NS (60 * HF_NS_PER_S)

struct hf_time_bound {
    uint64_t proof_unix_ns;  /* the newest signed time, or the date of the build */
    uint64_t synced_unix_ns; /* the second part, as it was at synced_mono_ns; runs on with the monotonic clock */
    uint64_t synced_mono_ns;
    bool synced_before; /* the last reading was synchronized */
};

/* `signed_unix_ns` and `synced_unix_ns` are the two parts as an earlier process saved them; 0: none. */
void hf_time_bound_init(struct hf_time_bound *bound, uint64_t signed_unix_ns, uint64_t synced_unix_ns,
                        uint64_t mono_ns);

/* Returns the bound at mono_ns; hf_time_bound_synced_ns() returns only its second part. */
uint64_t hf_time_bound_ns(const struct hf_time_bound *bound, uint64_t mono_ns);
uint64_t hf_time_bound_synced_ns(const struct hf_time_bound *bound, uint64_t mono_ns);

/* Records a reading of the wall clock. `sync_error_ns` is its stated error; HF_NEVER: not synchronized. */
void hf_time_bound_read(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t wall_unix_ns, uint64_t sync_error_ns);

/* A trusted key signed at `unix_ns`. Returns true if the bound rose. */
bool hf_time_bound_signed(struct hf_time_bound *bound, uint64_t unix_ns);

/* Two witnesses agree that the present is not after `latest_unix_ns`. */
void hf_time_bound_lower(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t latest_unix_ns);
