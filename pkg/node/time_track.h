/* node/time_track.h - the memory of what the wall clock showed: finds leaps that nothing else confirms.
 *
 * An honest clock runs with the monotonic clock; a lie is a leap. The track is what the clock showed before a leap. A
 * clock that leaps away from the track becomes a rival, and replaces the track only when it has kept its own time for
 * HF_TIME_TRACK_NS. So a lie of seconds leaves the track alone, and without any other witness the truth wins within an
 * hour. A clock that a time server keeps replaces at once a track that none kept. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_TIME_TRACK_NS (3600 * HF_NS_PER_S)

struct hf_time_track {
    uint64_t unix_ns, mono_ns; /* the track showed unix_ns at mono_ns; unix_ns 0: there is no track */
    bool synced;               /* a time server kept the clock */
    bool from_file;            /* of an earlier process: the time that passed since is unknown */
    uint64_t rival_unix_ns, rival_mono_ns, rival_since_ns; /* rival_unix_ns 0: no rival */
};

/* Starts with the track of an earlier process, which ended at unix_ns; 0: none. */
void hf_time_track_init(struct hf_time_track *track, uint64_t unix_ns, uint64_t mono_ns);

/* The wall clock shows unix_ns. It is on the track if it differs by at most tolerance_ns. */
void hf_time_track_read(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced,
                        uint64_t tolerance_ns);

/* Makes unix_ns the track, whatever it was before: two witnesses agree on it, or there is no usable wall clock. */
void hf_time_track_set(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced);

/* Returns what the track shows at mono_ns; 0: there is no track. */
uint64_t hf_time_track_ns(const struct hf_time_track *track, uint64_t mono_ns);
