/* SPDX-License-Identifier: Apache-2.0 */
/* node/clock_file.h - the file <state>/clock, in which an agent process saves times for the next process. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/probe.h"

/* HF_CLOCK_FILE_MAX is the maximum size of the file in bytes. HF_CLOCK_FILE_BOOT is the size in bytes of a boot id with
 * its terminator. */
enum { HF_CLOCK_FILE_MAX = 512, HF_CLOCK_FILE_BOOT = HF_PROBE_BOOT_ID };

/* A field that ends with _unix_ns is a Unix time in nanoseconds; 0 means unknown. */
struct hf_clock_file {
    uint64_t signed_unix_ns;  /* latest time at which a trusted key signed */
    uint64_t synced_unix_ns;  /* the synced time of the lower bound (node/time_bound.h) */
    uint64_t agreed_unix_ns;  /* last time on which two witnesses agreed, continued to the save */
    uint64_t track_unix_ns;   /* time on the track of the wall clock (node/time_track.h) */
    uint64_t contact_unix_ns; /* last contact with the source */
    /* contact_age_ns is the age of the last contact when the file was saved. While there is contact, contact_limit_ns
     * is 0. After a loss of contact, it is an age above contact_age_ns: the agent saves the file again before the
     * contact is older than this limit (sync/stale.h). The file holds both ages as whole seconds, rounded up. */
    uint64_t contact_age_ns, contact_limit_ns;
    /* boot is the id of the boot in which the file was saved ("" means unknown). saved_mono_ns is the time of the save
     * by the monotonic clock of that boot. The file holds this time as whole seconds, rounded down. */
    char boot[HF_CLOCK_FILE_BOOT];
    uint64_t saved_mono_ns;
    /* time, by the same monotonic clock, of the last contact; 0 if that contact was in an earlier boot */
    uint64_t contact_mono_ns;
    /* The hold of the site (sync/hold_age.h): its id (0 means none), its age when the file was saved, as whole seconds
     * rounded down, and when it began. */
    uint64_t hold_id, hold_age_ns, hold_began_unix_ns;
    /* age of the last agreement when the file was saved, as whole seconds rounded up; 0 from an earlier version */
    uint64_t agreed_age_ns;
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* Parses the file. -EBADMSG: the file is damaged or has an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
