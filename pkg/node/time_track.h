/* SPDX-License-Identifier: Apache-2.0 */
/* node/time_track.h - remembers the times that the wall clock has shown, to find leaps of the wall clock that no other
 * witness confirms.
 *
 * A right clock advances at the same rate as the monotonic clock; a clock that becomes wrong leaps. The track is the
 * time that the wall clock showed before a leap, and it advances with the monotonic clock. The time that the wall clock
 * shows after the leap is the rival. The rival replaces the track when the wall clock has stayed on the rival for
 * HF_TIME_TRACK_NS. So a leap that the wall clock takes back within this time does not change the track. After a leap
 * to the right time, the track becomes right within an hour, even without another witness. The rival replaces the track
 * at once if three conditions hold: a time server now keeps the wall clock right, no time server kept it right while it
 * was on the track, and the track is not from an earlier process. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_TRACK_NS (3600 * HF_NS_PER_S)

struct hf_time_track {
    uint64_t unix_ns, mono_ns; /* the track showed unix_ns at mono_ns; if unix_ns is 0, there is no track */
    bool synced;               /* true if a time server kept the wall clock right while it was on the track */
    bool from_file;            /* the track is from an earlier process, and the time since then is unknown */
    /* the rival showed rival_unix_ns at rival_mono_ns, and the wall clock has been on the rival since rival_since_ns;
     * if rival_unix_ns is 0, there is no rival */
    uint64_t rival_unix_ns, rival_mono_ns, rival_since_ns;
};

/* Continues the track of an earlier process. `unix_ns` is the last time that this track showed; 0 means that there is
 * no earlier track. */
void hf_time_track_init(struct hf_time_track *track, uint64_t unix_ns, uint64_t mono_ns);

/* Records that the wall clock shows unix_ns. The wall clock is on the track if it differs from the track by at most
 * tolerance_ns, or if the track is from an earlier process and the wall clock is later. `synced` is true while a time
 * server keeps the wall clock right. */
void hf_time_track_read(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced,
                        uint64_t tolerance_ns);

/* Makes unix_ns the track, whatever the track was before. Call this function when two witnesses agree on unix_ns, or
 * when there is no usable wall clock. */
void hf_time_track_set(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced);

/* Returns the time that the track shows at mono_ns, or 0 if there is no track. */
uint64_t hf_time_track_ns(const struct hf_time_track *track, uint64_t mono_ns);
