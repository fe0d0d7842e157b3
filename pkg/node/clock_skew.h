/* SPDX-License-Identifier: Apache-2.0 */
/* This node's clock against the API server's. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Date plus monotonic time: leaps of our clock do not matter. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    uint64_t transit_ns; /* longest transit of the Date */
    bool exceeded;       /* hysteresis: above max_skew_ns until 4/5 of it */
};

/* Takes the Date, in whole seconds, of an answer that arrived at `mono_ns`, `round_trip_ns` after the request. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns, uint64_t round_trip_ns);

/* How far the server's clock is ahead of `unix_ns`, to half a second plus transit. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates `exceeded`. A Date's age by its transit is no difference. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);
