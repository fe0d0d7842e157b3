/* SPDX-License-Identifier: Apache-2.0 */
/* The range of the present time. Pure.
 *
 * The clock (node/clock.h) compares witnesses of the time, any of which may be wrong. The true time is in the range;
 * the estimate is the best guess. Decide by the range where one wrong witness must not matter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Relation of the live witnesses (wall clock, Date of the server); credible: not against the lower bound. */
enum hf_time_agreement {
    HF_TIME_UNKNOWN, /* none is credible */
    HF_TIME_ALONE,   /* one, unconfirmed */
    /* they differ, or a single one and the track (node/time_judge.h) */
    HF_TIME_CONTRADICTED,
    HF_TIME_AGREED, /* within the tolerance */
    HF_TIME_AGREEMENT_COUNT,
};
const char *hf_time_agreement_name(enum hf_time_agreement agreement);

struct hf_time_range {
    enum hf_time_agreement agreement;
    uint64_t earliest_unix_ns;
    uint64_t latest_unix_ns;   /* HF_NEVER: unknown */
    uint64_t estimate_unix_ns; /* may go back */
    uint64_t other_unix_ns;    /* a witness that contradicts the estimate, or the estimate */
    uint64_t error_ns;         /* of the nearer of these two times; HF_NEVER: unknown */
};

/* Estimate and other_unix_ns, widened by error_ns: usually narrower than the range. */
void hf_time_span(const struct hf_time_range *range, uint64_t *ret_first_unix_ns, uint64_t *ret_last_unix_ns);

enum hf_time_answer { HF_TIME_NO, HF_TIME_YES, HF_TIME_UNSURE };

/* YES: all is at or after `then_unix_ns`. NO: before, or HF_NEVER. Else UNSURE. */
enum hf_time_answer hf_time_has_come(const struct hf_time_range *range, uint64_t then_unix_ns);

/* Seconds to the period: < 0 after it; > 0 before it, if witnesses agree; else 0, maybe inside. */
int64_t hf_time_distance_s(const struct hf_time_range *range, int64_t from_s, int64_t until_s);
