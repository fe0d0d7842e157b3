/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what the wall clock showed before a leap that no other witness confirms. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct hf_time_track {
    uint64_t unix_ns, mono_ns; /* the track's time at mono_ns */
    bool synced;
    bool from_file; /* from an earlier process */
    /* another track, on which the wall clock is since rival_since_ns */
    uint64_t rival_unix_ns, rival_mono_ns, rival_since_ns;
};

/* `unix_ns`: end of an earlier process's track. */
void hf_time_track_init(struct hf_time_track *track, uint64_t unix_ns, uint64_t mono_ns);

/* Takes a reading of the wall clock, which is on the track if within tolerance_ns of it, or later than a track from a
 * file. */
void hf_time_track_read(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced,
                        uint64_t tolerance_ns);

void hf_time_track_set(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced);

uint64_t hf_time_track_ns(const struct hf_time_track *track, uint64_t mono_ns);
