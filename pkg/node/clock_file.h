/* node/clock_file.h - the file <state>/clock: what an agent process saves about the time for the next process. Pure.
 *
 * Format 2. The parser also accepts format 1, which held the latest time that the agent ever considered the present. A
 * wrong clock may have set that time, so the parser returns it only as track_unix_ns and never as signed_unix_ns. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* maximum size of the file in bytes; size in bytes of a boot id, with the terminator */
enum { HF_CLOCK_FILE_MAX = 512, HF_CLOCK_FILE_BOOT = 40 };

/* A field that ends with _unix_ns is a Unix time in nanoseconds; 0 means unknown. */
struct hf_clock_file {
    uint64_t signed_unix_ns;  /* latest time at which a trusted key signed */
    uint64_t synced_unix_ns;  /* the synced time of the lower bound (node/time_bound.h) */
    uint64_t agreed_unix_ns;  /* last time on which two witnesses agreed */
    uint64_t track_unix_ns;   /* time on the track of the wall clock (node/time_track.h) */
    uint64_t contact_unix_ns; /* last contact with the source */
    /* Age of the last contact when the file was saved, and the limit that the age does not pass before the next save
     * (sync/stale.h), in nanoseconds. The file holds whole seconds and rounds up. */
    uint64_t contact_age_ns, contact_limit_ns;
    /* The boot in which the file was saved ("" means unknown), and the time of the save by the monotonic clock of this
     * boot. The file holds whole seconds and rounds down. */
    char boot[HF_CLOCK_FILE_BOOT];
    uint64_t saved_mono_ns;
    uint64_t contact_mono_ns; /* the same for the last contact; 0 if it was in an earlier boot */
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* Parses the file. -EBADMSG: the file is damaged or has an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
