/* SPDX-License-Identifier: Apache-2.0 */
/* The range in which the present time lies, and the best guess, the estimate. Pure.
 *
 * Any witness of the time may be wrong (node/clock.h). Where one wrong witness must not matter, decide by the range. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How the live witnesses (wall clock, Date of the server) agree. A credible witness shows no time before the lower
 * bound. */
enum hf_time_agreement {
    HF_TIME_UNKNOWN,
    HF_TIME_ALONE, /* only one witness is credible */
    /* two witnesses differ, or a single one differs from the track (node/time_judge.h) */
    HF_TIME_CONTRADICTED,
    HF_TIME_AGREED,
    HF_TIME_AGREEMENT_COUNT,
};
const char *hf_time_agreement_name(enum hf_time_agreement agreement);

struct hf_time_range {
    enum hf_time_agreement agreement;
    uint64_t earliest_unix_ns;
    uint64_t latest_unix_ns;   /* HF_NEVER: unknown */
    uint64_t estimate_unix_ns; /* may go back */
    uint64_t other_unix_ns;    /* time of a witness that contradicts the estimate; else the estimate */
    uint64_t error_ns; /* the true time is at most this far from the nearer of the two above; HF_NEVER: unknown */
};

/* Gives the span from the estimate to other_unix_ns, widened by error_ns. */
void hf_time_span(const struct hf_time_range *range, uint64_t *ret_first_unix_ns, uint64_t *ret_last_unix_ns);

enum hf_time_answer { HF_TIME_NO, HF_TIME_YES, HF_TIME_UNSURE };

/* Whether `then_unix_ns` has come. YES: the whole range is at or after it. NO: the whole range is before it, or
 * then_unix_ns is HF_NEVER. */
enum hf_time_answer hf_time_has_come(const struct hf_time_range *range, uint64_t then_unix_ns);

/* Returns 0 if the time may be inside the period; else the seconds until it begins, or (negative) since its end. Never
 * positive unless the witnesses agree. */
int64_t hf_time_distance_s(const struct hf_time_range *range, int64_t from_s, int64_t until_s);
