/* node/time_judge.h - from the readings of all witnesses to the range of the present time (base/time/range.h). Pure.
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
 *     one credible one, off its track     Contradicted   lower bound           the later of the two    see below
 *     one credible one                    Alone          lower bound           that one                that one
 *     none                                Unknown        lower bound           none                    the track
 *
 * Alike: they differ by at most the policy's maxSkew, plus their errors, and the Date is fresh; an older Date that is
 * alike confirms nothing, and the wall clock then counts as alone. Without agreement, `earliest` goes back to any live
 * witness that shows an earlier time than the lower bound, so the bound alone never makes anything expire. The time of
 * the last agreement raises `earliest` if the wall clock is live and no live witness is before that time. Of two
 * witnesses that differ, the estimate is the one nearer to the last agreement; if there was none: a wall clock that a
 * time server keeps, else the server's Date. Against its own track, only a wall clock that a time server keeps is the
 * estimate. */
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
    struct hf_time_witness agreed; /* the last agreement, brought forward */
    struct hf_time_witness track;  /* what the wall clock showed so far (node/time_track.h), brought forward */
    bool wall_synced;              /* a time server keeps the wall clock */
    bool date_fresh;               /* the Date is recent enough to agree with the wall clock */
    uint64_t max_skew_ns;
};

/* Returns the live witness on which the clock rests if the two do not contradict each other: the wall clock if it is
 * credible, else the Date; NULL: none, or they contradict each other. */
const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence);

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range);
