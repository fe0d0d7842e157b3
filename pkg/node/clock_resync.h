/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when to ask chronyd or systemd-timesyncd to synchronize, and finds leaps of the wall clock. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct hf_clock_resync {
    bool asked;
    uint64_t asked_mono_ns;
    bool seen;
    int64_t wall_minus_mono;
};

/* Whether to ask now. *ret_wait_ns: time to the next request; HF_NEVER if not `wanted`. */
bool hf_clock_resync_take(struct hf_clock_resync *resync, bool wanted, uint64_t mono_ns, uint64_t *ret_wait_ns);

/* Returns the leap since the last reading (positive: forward); 0: none before, or at most `least_ns`, perhaps drift. */
int64_t hf_clock_resync_leap_ns(struct hf_clock_resync *resync, uint64_t mono_ns, uint64_t wall_unix_ns,
                                uint64_t least_ns);
