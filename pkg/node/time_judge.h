/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the range of the present (base/time/range.h) from all witnesses. Pure.
 *
 * Wall clock and Date are live witnesses; the others are their last agreement, the track (node/time_track.h) and the
 * lower bound (node/time_bound.h). A live witness is ignored if before the build, and credible if not before the lower
 * bound. Two are alike if apart by at most maxSkew plus both errors. */
#pragma once

#include "base/time/range.h"

/* `error_ns`: greatest known difference from the true time. */
struct hf_time_witness {
    bool known;
    uint64_t unix_ns;
    uint64_t error_ns;
};

struct hf_time_evidence {
    uint64_t build_unix_ns;
    uint64_t proof_unix_ns; /* latest signed time, or the build's */
    uint64_t lower_unix_ns;
    struct hf_time_witness wall, date;
    struct hf_time_witness agreed; /* last agreement, advanced to now */
    struct hf_time_witness track;
    bool wall_synced; /* a time server keeps the wall clock right */
    bool date_fresh;  /* the Date is recent enough to agree */
    uint64_t max_skew_ns;
};

/* Returns the wall clock if credible, otherwise the Date. NULL: neither is credible, or both are and differ. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

/* Whether a fresh Date, not before the proof, differs from the wall clock. */
bool hf_time_judge_differs(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
