/* SPDX-License-Identifier: Apache-2.0 */
/* node/clock_resync.h - decides when to ask the time service of this node to synchronize, and finds leaps of the wall
 * clock. Pure.
 *
 * The agent never sets the clock. It asks chronyd or systemd-timesyncd, which take the time from their own servers.
 * The Date of the API server only triggers a request, so a wrong Date costs at most one request per hour. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Least time between two requests. */
#define HF_CLOCK_RESYNC_PAUSE_NS (3600 * HF_NS_PER_S)

struct hf_clock_resync {
    bool asked;              /* true after the first request of this process */
    uint64_t asked_mono_ns;  /* monotonic time of the last request */
    bool seen;               /* true after the first reading of the clocks */
    int64_t wall_minus_mono; /* wall clock minus monotonic clock at the last reading */
};

/* Returns true, and records a request, if the agent must ask now. This requires that `wanted` is true (clock.resync is
 * set, and the clock differs by more than clock.maxSkew), and that the last request, if there was one, is at least
 * HF_CLOCK_RESYNC_PAUSE_NS old. *ret_wait_ns is the time until the next request may be due, or HF_NEVER if `wanted` is
 * false. */
bool hf_clock_resync_take(struct hf_clock_resync *resync, bool wanted, uint64_t mono_ns, uint64_t *ret_wait_ns);

/* Records a reading of both clocks. Returns the size of the wall clock's leap since the previous reading, positive for
 * a leap forward. Returns 0 if the clock has leaped by at most `least_ns` in either direction, so that drift or
 * slewing of the clock does not count as a leap. */
int64_t hf_clock_resync_leap_ns(struct hf_clock_resync *resync, uint64_t mono_ns, uint64_t wall_unix_ns,
                                uint64_t least_ns);
