/* SPDX-License-Identifier: Apache-2.0 */
/* The track continues the time before a leap by the monotonic clock, the rival the time after it. The rival replaces
 * the track after HF_TIME_TRACK_NS: a leap that is taken back earlier changes nothing, and one to the right time is
 * trusted within an hour. It does so at once if a time server now keeps the wall clock right, none did on the track,
 * and the track is not from an earlier process. */
#include "node/time_track.h"

#include "base/macros.h"

#define HF_TIME_TRACK_NS (3600 * HF_NS_PER_S)

static uint64_t forward(uint64_t unix_ns, uint64_t at_mono_ns, uint64_t mono_ns)
{
    return unix_ns == 0 ? 0 : unix_ns + (mono_ns - HF_MIN(at_mono_ns, mono_ns));
}

static bool near(uint64_t a, uint64_t b, uint64_t tolerance_ns)
{
    return HF_DISTANCE(a, b) <= tolerance_ns;
}

void hf_time_track_init(struct hf_time_track *track, uint64_t unix_ns, uint64_t mono_ns)
{
    *track = (struct hf_time_track){.unix_ns = unix_ns, .mono_ns = mono_ns, .from_file = true};
}

uint64_t hf_time_track_ns(const struct hf_time_track *track, uint64_t mono_ns)
{
    return forward(track->unix_ns, track->mono_ns, mono_ns);
}

void hf_time_track_set(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced)
{
    *track = (struct hf_time_track){.unix_ns = unix_ns, .mono_ns = mono_ns, .synced = synced};
}

static bool is_on(const struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, uint64_t tolerance_ns)
{
    uint64_t shown = hf_time_track_ns(track, mono_ns);

    return near(unix_ns, shown, tolerance_ns) || (track->from_file && unix_ns > shown);
}

void hf_time_track_read(struct hf_time_track *track, uint64_t mono_ns, uint64_t unix_ns, bool synced,
                        uint64_t tolerance_ns)
{
    uint64_t rival = forward(track->rival_unix_ns, track->rival_mono_ns, mono_ns);

    if (track->unix_ns != 0 && is_on(track, mono_ns, unix_ns, tolerance_ns)) {
        hf_time_track_set(track, mono_ns, unix_ns, synced || track->synced);
        return;
    }
    if (rival == 0 || !near(unix_ns, rival, tolerance_ns))
        track->rival_since_ns = mono_ns;
    track->rival_unix_ns = unix_ns;
    track->rival_mono_ns = mono_ns;
    bool outranks = synced && !track->synced && !track->from_file;
    if (track->unix_ns == 0 || outranks || mono_ns - track->rival_since_ns >= HF_TIME_TRACK_NS)
        hf_time_track_set(track, mono_ns, unix_ns, synced);
}
