/* SPDX-License-Identifier: Apache-2.0 */
/* node/time_judge.h - computes the range of the present time (base/time/range.h) from the readings of all witnesses.
 * Pure.
 *
 * Witnesses: the wall clock; the Date of the API server; the last time on which these two agreed; the track of the wall
 * clock (node/time_track.h); the lower bound (node/time_bound.h). The wall clock and the Date are live witnesses. A
 * live witness that shows a time before the build is wrong and does not count. A live witness is credible if it does
 * not contradict the lower bound.
 *
 *     live witnesses                      agreement      earliest              latest                  estimate
 *     ---------------------------------   ------------   -------------------   ---------------------   -------------
 *     both, alike, not before the proof   Agreed         the earlier witness   the later witness       the wall clock
 *     both credible, not alike            Contradicted   lower bound           the later witness       see below
 *     one credible, not alike to track    Contradicted   lower bound           see below               see below
 *     one credible                        Alone          lower bound           that witness            that witness
 *     none credible                       Unknown        lower bound           none                    see below
 *
 * The first row whose condition holds applies. If both live witnesses are credible and alike but the first row does not
 * apply, the wall clock counts as the one credible witness. The third row applies only if the track is credible, too;
 * `latest` is then the later of the witness and the track.
 *
 * Two witnesses are alike if they differ by at most the policy's maxSkew plus the errors of both. For the first row the
 * Date must also be fresh; a Date that is not fresh confirms nothing.
 *
 * Without agreement, two more rules apply to `earliest`, in this order. First, the time of the last agreement raises
 * `earliest`, but only if the wall clock counts, and if each live witness that counts shows this time or a later one.
 * Second, if a live witness that counts shows a time before `earliest`, `earliest` falls to the time of that witness.
 * So the lower bound alone never makes anything expire.
 *
 * The estimate of the second row is the witness that is nearer to the last agreement. If there was no agreement, it is
 * the wall clock while a time server keeps the wall clock right, and otherwise the Date. The estimate of the third row
 * is the wall clock if the wall clock is the credible witness and a time server keeps it right, and otherwise the
 * track. The estimate of the last row is the later of the track and the lower bound.
 *
 * The estimate has an error. For the Date, and for a wall clock that a time server keeps right, this is the error_ns of
 * the witness. If both live witnesses agree, and no time server keeps the wall clock right, the error covers the whole
 * range. A wall clock that nothing confirms, and the track, count as right within maxSkew. If two witnesses contradict
 * each other, the greater of their errors counts. In the last row the error is unknown. */
#pragma once

#include "base/time/range.h"

/* What a witness shows as the present. `error_ns` is the greatest difference from the true time while the witness is
 * right. */
struct hf_time_witness {
    bool known;
    uint64_t unix_ns;
    uint64_t error_ns;
};

struct hf_time_evidence {
    uint64_t build_unix_ns; /* date of the build */
    uint64_t proof_unix_ns; /* latest signed time, or the date of the build if that is later */
    uint64_t lower_unix_ns; /* lower bound, not before the proof */
    struct hf_time_witness wall, date;
    struct hf_time_witness agreed; /* the time of the last agreement, advanced by the time since then */
    /* the track of the wall clock (node/time_track.h), advanced by the time since its last reading */
    struct hf_time_witness track;
    bool wall_synced; /* a time server keeps the wall clock right */
    bool date_fresh;  /* the Date is recent enough to agree with the wall clock */
    uint64_t max_skew_ns;
};

/* Returns the wall clock if the wall clock is credible; otherwise returns the Date if the Date is credible. Returns
 * NULL if neither is credible, or if both are credible but not alike. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

/* Returns true if a fresh Date, which does not contradict the proof, differs from the wall clock. */
bool hf_time_judge_differs(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
