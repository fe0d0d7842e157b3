/* SPDX-License-Identifier: Apache-2.0 */
/* Compares this node's clock with the API server's. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* The server's time advances by our monotonic clock, so leaps of our wall clock do not matter. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    uint64_t transit_ns;
    bool exceeded; /* the difference exceeded max_skew_ns, and has stayed above 4/5 of it */
};

/* Takes the Date (whole seconds) of an answer at `mono_ns`, `round_trip_ns` after the request. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns, uint64_t round_trip_ns);

/* Returns how far the server's clock is ahead of `unix_ns`, to half a second plus transit; 0: unknown. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates and returns `exceeded`. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);
