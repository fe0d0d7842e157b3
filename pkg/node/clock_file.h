/* SPDX-License-Identifier: Apache-2.0 */
/* <state>/clock: times for the next process. Pure. Unknown Unix times are 0. In the file seconds: ages rounded up,
 * saved_mono_ns and hold_age_ns down. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/state/record.h"
#include "os/file.h"

/* with terminator; of a boot id */
enum { HF_CLOCK_FILE_MAX = 1024, HF_CLOCK_FILE_BOOT = HF_FILE_ID };

struct hf_clock_file {
    uint64_t signed_unix_ns;  /* latest signature by a trusted key */
    uint64_t synced_unix_ns;  /* node/time_bound.h */
    uint64_t agreed_unix_ns;  /* last agreement of two witnesses, advanced to the save */
    uint64_t track_unix_ns;   /* node/time_track.h */
    uint64_t contact_unix_ns; /* last, with the source */
    /* Of the contact, at the save; after a loss the greater age at which to save again (sync/stale.h), else 0. */
    uint64_t contact_age_ns, contact_limit_ns;
    char boot[HF_CLOCK_FILE_BOOT]; /* save's boot and monotonic time */
    uint64_t saved_mono_ns;
    uint64_t contact_mono_ns; /* 0: in an earlier boot */
    /* The site's hold at the save (sync/hold_age.h); id 0: none. */
    uint64_t hold_id, hold_age_ns, hold_began_unix_ns;
    uint64_t agreed_age_ns; /* of the agreement, at the save */
};
extern const struct hf_record_type hf_clock_file_type;

HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* -EBADMSG: damaged, or an unknown version. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
