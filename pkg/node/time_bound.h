/* SPDX-License-Identifier: Apache-2.0 */
/* node/time_bound.h - the lower bound of the present time: the present is not before it.
 *
 * The bound is the proof or the synced time, whichever is later. The proof is the latest time at which a trusted key
 * signed, or the date of the build if that is later; the proof never goes back. The synced time advances with the
 * monotonic clock, but a thousandth slower. While a time server keeps the wall clock right, each reading also corrects
 * the synced time towards the wall clock, forward or back. For each second since the previous reading, the correction
 * is at most one second. So if a time server keeps the wall clock wrong for an hour, it moves the synced time by at
 * most one extra hour; while the Date of the server contradicts the wall clock, nothing corrects the synced time. Two
 * witnesses that agree on an earlier time lower the synced time at once. The Date of the server alone never moves the
 * bound. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01; each release moves it forward */

/* Largest stated error of a synchronized clock. A clock with a greater error counts as not synchronized. */
#define HF_TIME_SYNC_ERROR_MAX_NS (2 * HF_NS_PER_S)

/* Limit of the correction that one reading of the wall clock makes to the synced time, however long ago the previous
 * reading was. */
#define HF_TIME_STEP_MAX_NS (60 * HF_NS_PER_S)

struct hf_time_bound {
    uint64_t proof_unix_ns; /* the latest signed time, or the date of the build if that is later */
    /* The synced time is the Unix time that a synchronized clock has shown, continued with the monotonic clock. These
     * two fields hold the synced time at one moment, and the monotonic time of this moment. */
    uint64_t synced_unix_ns;
    uint64_t synced_mono_ns;
    bool synced_before; /* true if the clock was synchronized at the last reading */
};

/* Starts with the values that an earlier process saved: `signed_unix_ns` is the proof, and `synced_unix_ns` is the
 * synced time. A value of 0 means none. */
void hf_time_bound_init(struct hf_time_bound *bound, uint64_t signed_unix_ns, uint64_t synced_unix_ns,
                        uint64_t mono_ns);

/* hf_time_bound_ns() returns the bound at mono_ns; hf_time_bound_synced_ns() returns the synced time at mono_ns. */
uint64_t hf_time_bound_ns(const struct hf_time_bound *bound, uint64_t mono_ns);
uint64_t hf_time_bound_synced_ns(const struct hf_time_bound *bound, uint64_t mono_ns);

/* Records a reading of the wall clock. `sync_error_ns` is the clock's stated error, or HF_NEVER if the clock is not
 * synchronized. */
void hf_time_bound_read(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t wall_unix_ns, uint64_t sync_error_ns);

/* Records that a trusted key signed at `unix_ns`. Returns true if the proof rose. */
bool hf_time_bound_signed(struct hf_time_bound *bound, uint64_t unix_ns);

/* Records that a trusted key signed at `unix_ns`, although a live witness shows an earlier time. The signer's clock may
 * be wrong. So the function raises only the synced time, which two agreeing witnesses can lower again, and does not
 * change the proof. Returns true if the bound rose. */
bool hf_time_bound_claimed(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t unix_ns);

/* If the synced time is later than `latest_unix_ns`, lowers the synced time to `latest_unix_ns`. Call this function
 * when two witnesses agree that the present is not after `latest_unix_ns`. Has no effect on the proof. */
void hf_time_bound_lower(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t latest_unix_ns);
