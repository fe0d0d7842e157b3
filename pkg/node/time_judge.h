/* node/time_judge.h - computes the range of the present time (base/time/range.h) from the readings of all witnesses.
 * Pure.
 *
 * Witnesses: the wall clock; the Date of the API server; the time on which both agreed last; the track of what the
 * wall clock showed so far (node/time_track.h); the lower bound (node/time_bound.h). The first two are live. A live
 * witness that shows a time before the build is wrong and does not count. It is credible if it does not contradict the
 * lower bound.
 *
 *     live witnesses                      agreement      earliest              latest                  estimate
 *     ---------------------------------   ------------   -------------------   ---------------------   -------------
 *     both, alike, not before the proof   Agreed         the earlier one       the later one           the wall clock
 *     two credible ones that differ       Contradicted   lower bound           the later one           see below
 *     one credible one, off the track     Contradicted   lower bound           the later of the two    see below
 *     one credible one                    Alone          lower bound           that one                that one
 *     none                                Unknown        lower bound           none                    the track
 *
 * Two witnesses are alike if they differ by at most the policy's maxSkew plus the errors of both. For the first row the
 * Date must also be fresh. If the Date is older, it confirms nothing, and the rows for one credible witness apply to
 * the wall clock.
 *
 * Without agreement, `earliest` is lower than the lower bound if a live witness shows an earlier time, so the lower
 * bound alone never makes anything expire. The time of the last agreement raises `earliest` if the wall clock is live
 * and no live witness is before that time.
 *
 * The estimate of the second row is the witness that is nearer to the last agreement. If there was no agreement, it is
 * the wall clock while a time server keeps the wall clock right, and otherwise the Date. The estimate of the third row
 * is the wall clock if the wall clock is the credible witness and a time server keeps it right, and otherwise the
 * track. */
#pragma once

#include "base/time/range.h"

/* What a witness shows as the present. `error_ns` is the greatest distance from the truth, if the witness does not
 * lie. */
struct hf_time_witness {
    bool known;
    uint64_t unix_ns;
    uint64_t error_ns;
};

struct hf_time_evidence {
    uint64_t build_unix_ns; /* date of the build */
    uint64_t proof_unix_ns; /* newest signed time, not before the build */
    uint64_t lower_unix_ns; /* lower bound, not before the proof */
    struct hf_time_witness wall, date;
    struct hf_time_witness agreed; /* the last agreement, plus the time since then */
    /* what the wall clock showed so far (node/time_track.h), plus the time since then */
    struct hf_time_witness track;
    bool wall_synced; /* a time server keeps the wall clock */
    bool date_fresh;  /* the Date is recent enough to agree with the wall clock */
    uint64_t max_skew_ns;
};

/* Returns the wall clock if it is credible, otherwise the Date if it is credible. Returns NULL if neither is credible,
 * or if both are credible but not alike. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
