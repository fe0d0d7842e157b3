/* SPDX-License-Identifier: Apache-2.0 */
/* node/clock_skew.h - the difference between the clock of this node and the clock of the API server. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* An estimate of the API server's clock: the Date of the server's last answer plus the monotonic time since that
 * answer. A leap of our own clock does not change the estimate. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    uint64_t transit_ns; /* longest time for which the Date may have been on its way */
    /* becomes true when the clocks differ by more than max_skew_ns, and false when they differ by at most 4/5 of
     * max_skew_ns, for hysteresis */
    bool exceeded;
};

/* `date_unix_ns` is the Date header (whole seconds) of an answer that arrived at mono_ns. The agent sent the request at
 * most `round_trip_ns` before that. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns, uint64_t round_trip_ns);

/* Returns by how much the server's clock is ahead of `unix_ns` at the monotonic time mono_ns. The result is negative if
 * the server's clock is behind, and 0 while the server's clock is unknown. The result is precise to half a second plus
 * the time for which the Date was on its way. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates `exceeded` and returns it. `unix_ns` is the time of this node's clock at mono_ns. A Date ages on its way. So
 * even if both clocks are right, the server's clock can seem to be behind, by up to the round trip. This part of the
 * difference does not count. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);
