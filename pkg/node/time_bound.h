/* SPDX-License-Identifier: Apache-2.0 */
/* The lower bound of the present: the later of proof (latest signed time, or the build's) and synced time, which
 * follows time servers. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01 */

/* Above this error a clock is not synchronized. */
#define HF_TIME_SYNC_ERROR_MAX_NS (2 * HF_NS_PER_S)

struct hf_time_bound {
    uint64_t proof_unix_ns;
    uint64_t synced_unix_ns;
    uint64_t synced_mono_ns;
    bool synced_before;
};

/* Both Unix times come from an earlier process, or are 0. */
void hf_time_bound_init(struct hf_time_bound *bound, uint64_t signed_unix_ns, uint64_t synced_unix_ns,
                        uint64_t mono_ns);

uint64_t hf_time_bound_ns(const struct hf_time_bound *bound, uint64_t mono_ns);
uint64_t hf_time_bound_synced_ns(const struct hf_time_bound *bound, uint64_t mono_ns);

/* Takes a reading of the wall clock. `sync_error_ns`: HF_NEVER if it is not synchronized. */
void hf_time_bound_read(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t wall_unix_ns, uint64_t sync_error_ns);

/* Takes a signed time. True: the proof rose. */
bool hf_time_bound_signed(struct hf_time_bound *bound, uint64_t unix_ns);

/* Takes a signed time that may be wrong, because it is later than a live witness: raises only the synced time. True:
 * the bound rose. */
bool hf_time_bound_claimed(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t unix_ns);

/* Lowers the synced time, as two witnesses agree that the present is not later. The proof stays. */
void hf_time_bound_lower(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t latest_unix_ns);
