/* base/time/range.h - the range in which the present time lies, and functions that compare dates with this range.
 *
 * The agent's clock (node/clock.h) compares several sources of the time, called witnesses, any of which may be wrong.
 * From these witnesses it computes two results: a range, in which the true time lies as far as the witnesses show, and
 * an estimate, which is the best guess in that range. A decision that a wrong witness must not cause uses the range,
 * not the estimate. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How the live witnesses (the wall clock, the Date of the server) relate to each other. */
enum hf_time_agreement {
    HF_TIME_UNKNOWN,      /* no live witness is credible: only the lower bound is known */
    HF_TIME_ALONE,        /* one credible live witness, which nothing confirms */
    HF_TIME_CONTRADICTED, /* the live witnesses differ */
    HF_TIME_AGREED,       /* both live witnesses show the same time */
    HF_TIME_AGREEMENT_COUNT,
};
const char *hf_time_agreement_name(enum hf_time_agreement agreement); /* "Unknown" ... */

/* All times are nanoseconds since 1970. */
struct hf_time_range {
    enum hf_time_agreement agreement;
    uint64_t earliest_unix_ns;
    uint64_t latest_unix_ns;   /* HF_NEVER: no upper end is known */
    uint64_t estimate_unix_ns; /* the best guess; may go back when witnesses agree after they differed */
    uint64_t other_unix_ns;    /* time of the witness that contradicts the estimate; without one, the estimate */
};

enum hf_time_answer { HF_TIME_NO, HF_TIME_YES, HF_TIME_UNSURE };

/* Returns whether the time `then_unix_ns` has come. HF_NEVER never comes. */
enum hf_time_answer hf_time_has_come(const struct hf_time_range *range, uint64_t then_unix_ns);

/* Returns how far the present is outside the period from `from_s` to `until_s` (seconds since 1970). If the period has
 * ended, the result is minus the number of seconds since its end. If the period has not begun, the result is the number
 * of seconds until it begins. The result is positive only if the witnesses agree, because nothing else proves that the
 * period has not begun. In all other cases the result is 0: the present may be inside the period. */
int64_t hf_time_distance_s(const struct hf_time_range *range, int64_t from_s, int64_t until_s);
