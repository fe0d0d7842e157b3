/* SPDX-License-Identifier: Apache-2.0 */
/* The range of the present time (base/time/range.h) from all witnesses. Pure.
 *
 * The wall clock and the Date are live; the others are their last agreement, the track (node/time_track.h) and the
 * lower bound (node/time_bound.h). A live witness before the build is ignored; it is credible if not before the lower
 * bound. The first row that holds applies:
 *
 *     live witnesses                      agreement      earliest              latest                  estimate
 *     ---------------------------------   ------------   -------------------   ---------------------   -------------
 *     both, alike, not before the proof   Agreed         the earlier witness   the later witness       the wall clock
 *     both credible, not alike            Contradicted   lower bound           the later witness       see below
 *     one credible, not alike to track    Contradicted   lower bound           later one with track    see below
 *     one credible                        Alone          lower bound           that witness            that witness
 *     none credible                       Unknown        lower bound           none                    see below
 *
 * Alike: apart by at most maxSkew plus both errors. Row 1 needs a fresh Date, else the wall clock of two alike is the
 * one credible witness. Row 3 needs a credible track. Without agreement, the last one raises `earliest` if the wall
 * clock shows a time from the build on and no live witness is earlier; then an earlier live witness lowers it to its
 * own time, so the lower bound alone expires nothing.
 *
 * Estimates. Row 2: the witness nearer to the last agreement; without one, a wall clock kept right by a time server,
 * else the Date. Row 3: a credible wall clock kept right, else the track. Row 5: the later of track and lower bound.
 *
 * Error: that of the witness if it is the Date or kept right; maxSkew for others; the whole range in row 1 without a
 * time server; the greater one of two that contradict; unknown in row 5. */
#pragma once

#include "base/time/range.h"

/* `error_ns` bounds its difference from the true time. */
struct hf_time_witness {
    bool known;
    uint64_t unix_ns;
    uint64_t error_ns;
};

struct hf_time_evidence {
    uint64_t build_unix_ns;
    uint64_t proof_unix_ns; /* latest signed time, or the build */
    uint64_t lower_unix_ns; /* not before the proof */
    struct hf_time_witness wall, date;
    struct hf_time_witness agreed; /* advanced to now */
    struct hf_time_witness track;  /* advanced to now */
    bool wall_synced;              /* by a time server */
    bool date_fresh;               /* recent enough to agree */
    uint64_t max_skew_ns;
};

/* The wall clock, else the Date. NULL: none is credible, or both but not alike. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

/* A fresh Date, not before the proof, differs from the wall clock. */
bool hf_time_judge_differs(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
