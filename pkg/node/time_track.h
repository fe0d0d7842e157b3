/* SPDX-License-Identifier: Apache-2.0 */
/* Leaps of the wall clock that no other witness confirms. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct hf_time_track {
    uint64_t unix_ns, mono_ns; /* at mono_ns */
    bool synced;               /* kept right by a time server */
    bool from_file;            /* unknown time ago */
    /* another track, which the wall clock is on since rival_since_ns */
    uint64_t rival_unix_ns, rival_mono_ns, rival_since_ns;
};

/* `unix_ns`: end of an earlier process's track. */
void hf_time_track_init(struct hf_time_track *track, uint64_t unix_ns, uint64_t mono_ns);

/* A reading within tolerance_ns, or later than a track from a file, is on the track. */
void hf_time_track_read(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced,
                        uint64_t tolerance_ns);

/* Replaces the track, after an agreement, or without a usable wall clock. */
void hf_time_track_set(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced);

uint64_t hf_time_track_ns(const struct hf_time_track *track, uint64_t mono_ns);
