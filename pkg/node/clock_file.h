/* node/clock_file.h - the file <state>/clock: what an agent process saves about the time for the next process. Pure.
 *
 * Format 2. The parser also accepts format 1, which held the latest time that the agent ever took for the present. A
 * wrong clock may have set that time, so the parser returns it only as track_unix_ns and not as proof. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { HF_CLOCK_FILE_MAX = 512 };

/* Each field is a Unix time in nanoseconds; 0 means unknown. */
struct hf_clock_file {
    uint64_t signed_unix_ns;  /* latest time at which a trusted key signed */
    uint64_t synced_unix_ns;  /* the synced time of the lower bound (node/time_bound.h) */
    uint64_t agreed_unix_ns;  /* last time on which two witnesses agreed */
    uint64_t track_unix_ns;   /* time on the track of the wall clock (node/time_track.h) */
    uint64_t contact_unix_ns; /* last contact with the source */
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* Parses the file. -EBADMSG: the file is damaged or has an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
