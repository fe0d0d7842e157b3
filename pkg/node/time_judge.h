/* SPDX-License-Identifier: Apache-2.0 */
/* The range of the present (base/time/range.h) by all witnesses. Pure.
 *
 * Wall clock and Date are live; the others are their last agreement, the track (node/time_track.h) and the lower bound
 * (node/time_bound.h). A live witness before the build is ignored; it is credible if not before the lower bound. Alike:
 * apart by at most maxSkew plus both errors. */
#pragma once

#include "base/time/range.h"

/* `error_ns`: most that it differs from the true time. */
struct hf_time_witness {
    bool known;
    uint64_t unix_ns;
    uint64_t error_ns;
};

struct hf_time_evidence {
    uint64_t build_unix_ns;
    uint64_t proof_unix_ns; /* latest time in a signature, or the build's */
    uint64_t lower_unix_ns; /* >= proof */
    struct hf_time_witness wall, date;
    struct hf_time_witness agreed; /* advanced to now */
    struct hf_time_witness track;  /* advanced to now */
    bool wall_synced;              /* by a time server */
    bool date_fresh;               /* may agree */
    uint64_t max_skew_ns;
};

/* The wall clock if credible, else the Date. NULL: neither is credible, or both are and differ. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

/* A fresh Date that is not before the proof differs from the wall clock. */
bool hf_time_judge_differs(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
