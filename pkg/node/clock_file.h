/* SPDX-License-Identifier: Apache-2.0 */
/* The file <state>/clock: times for the next process. Unknown Unix times are 0. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/state/record.h"
#include "os/file.h"

enum { HF_CLOCK_FILE_MAX = 1024, HF_CLOCK_FILE_BOOT = HF_FILE_ID };

struct hf_clock_file {
    uint64_t signed_unix_ns;  /* latest believed signature */
    uint64_t synced_unix_ns;  /* see node/time_bound.h */
    uint64_t agreed_unix_ns;  /* last agreement of two witnesses, advanced to the save */
    uint64_t track_unix_ns;   /* see node/time_track.h */
    uint64_t contact_unix_ns; /* last contact with the source */
    /* age of the contact at the save; age at which to save again (sync/stale.h), or 0 */
    uint64_t contact_age_ns, contact_limit_ns;
    char boot[HF_CLOCK_FILE_BOOT]; /* boot and monotonic time of the save */
    uint64_t saved_mono_ns;
    uint64_t contact_mono_ns; /* 0: the contact was in an earlier boot */
    /* The site's hold at the save (sync/hold_age.h); id 0: no hold. */
    uint64_t hold_id, hold_age_ns, hold_began_unix_ns;
    uint64_t agreed_age_ns; /* age of the agreement at the save */
};
extern const struct hf_record_type hf_clock_file_type;

HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
