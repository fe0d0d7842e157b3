/* SPDX-License-Identifier: Apache-2.0 */
/* The difference between this node's clock and the API server's. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* The server's Date plus monotonic time: unaffected by leaps of our clock. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    uint64_t transit_ns; /* longest transit of the Date */
    bool exceeded;       /* with hysteresis: begins above max_skew_ns, ends at 4/5 of it */
};

/* Date (whole seconds) of an answer that arrived at mono_ns after `round_trip_ns`. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns, uint64_t round_trip_ns);

/* The server's clock is ahead of `unix_ns` by this, to half a second plus transit; 0: unknown. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates and returns `exceeded`. The age of a Date from its transit is no difference. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);
