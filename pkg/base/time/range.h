/* SPDX-License-Identifier: Apache-2.0 */
/* base/time/range.h - the range in which the present time lies, and functions that compare dates with this range.
 *
 * The agent's clock (node/clock.h) compares several sources of the time, called witnesses, any of which may be wrong.
 * From these witnesses the clock computes a range and an estimate. According to the witnesses, the true time lies in
 * the range; the estimate is the best guess in the range. Use the range, and not the estimate, for a decision that one
 * wrong witness must not cause. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The relation of the live witnesses (the wall clock, the Date of the server) to each other. A live witness is credible
 * if it does not contradict the lower bound of the time. */
enum hf_time_agreement {
    HF_TIME_UNKNOWN, /* no live witness is credible: only the lower bound is known */
    HF_TIME_ALONE,   /* one credible live witness, which nothing confirms */
    /* the live witnesses differ, or the only credible one differs from the track (node/time_judge.h) */
    HF_TIME_CONTRADICTED,
    HF_TIME_AGREED, /* both live witnesses show the same time, within the tolerance */
    HF_TIME_AGREEMENT_COUNT,
};
const char *hf_time_agreement_name(enum hf_time_agreement agreement); /* returns a name such as "Unknown" */

/* All times are nanoseconds since 1970. */
struct hf_time_range {
    enum hf_time_agreement agreement;
    uint64_t earliest_unix_ns;
    uint64_t latest_unix_ns;   /* HF_NEVER means that no upper end is known */
    uint64_t estimate_unix_ns; /* the best guess; may go back when witnesses agree after they differed */
    /* time of the witness that contradicts the estimate; equal to the estimate if no witness contradicts it */
    uint64_t other_unix_ns;
    /* error of the estimate and of other_unix_ns: if the witness that shows one of these two times is right, the
     * present differs from this time by at most error_ns; HF_NEVER means that the error is unknown */
    uint64_t error_ns;
};

/* Computes the span of the present: the time in which the present lies if the estimate or other_unix_ns is right within
 * error_ns. Stores the two ends of the span: the earlier of these two times minus error_ns, and the later one plus
 * error_ns. The span is usually narrower than the range from earliest_unix_ns to latest_unix_ns, which allows for
 * witnesses that are wrong. */
void hf_time_span(const struct hf_time_range *range, uint64_t *ret_first_unix_ns, uint64_t *ret_last_unix_ns);

enum hf_time_answer { HF_TIME_NO, HF_TIME_YES, HF_TIME_UNSURE };

/* Returns HF_TIME_YES if the whole range is at or after `then_unix_ns`, HF_TIME_NO if the whole range is before it, and
 * HF_TIME_UNSURE otherwise. Returns HF_TIME_NO if `then_unix_ns` is HF_NEVER. */
enum hf_time_answer hf_time_has_come(const struct hf_time_range *range, uint64_t then_unix_ns);

/* Returns the distance in seconds between the present and a period that begins at `from_s` and ends at `until_s`
 * (seconds since 1970). If the whole range is after the period, the result is negative: the period ended so many
 * seconds ago. If the whole range is before the period, and the witnesses agree, the result is positive: the period
 * begins in so many seconds. (Only agreement proves that a period has not begun.) In all other cases the result is 0,
 * because the present may be inside the period. */
int64_t hf_time_distance_s(const struct hf_time_range *range, int64_t from_s, int64_t until_s);
