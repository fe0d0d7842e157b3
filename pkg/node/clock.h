/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's clock: compares the witnesses of the time, and recovers when one was wrong, so hf_unix_ns() may go back.
 * Durations are monotonic. Loop thread only. */
#pragma once

#include "base/clock.h"
#include "node/clock_file.h"
#include "node/time_bound.h"
#include "node/time_judge.h"
#include "node/time_track.h"

/* How long a Date can agree with the wall clock, and how long an agreement is valid. */
#define HF_CLOCK_FRESH_NS (24ull * 3600 * HF_NS_PER_S)

struct hf_clock {
    const struct hf_clock_ops *wall; /* borrowed */
    struct hf_time_bound bound;
    uint64_t date_unix_ns, date_mono_ns, date_error_ns; /* the last Date; date_unix_ns 0: none */
    uint64_t agreed_unix_ns, agreed_mono_ns;            /* the last agreement; agreed_unix_ns 0: none */
    uint64_t agreed_age_ns;                             /* the agreement's age at agreed_mono_ns */
    struct hf_time_track track;
    /* the wall clock's error, by the kernel (HF_NEVER: not synchronized), and when it was read (HF_NEVER: never) */
    uint64_t sync_error_ns, sync_mono_ns;
    uint64_t max_skew_ns;
    bool bound_rose; /* a signed time raised the bound, and the file must be saved */
    struct hf_clock_ops ops;
};

/* `kept`: content of <state>/clock, or zeros. */
void hf_clock_init(struct hf_clock *clock, const struct hf_clock_ops *wall, const struct hf_clock_file *kept);

const struct hf_clock_ops *hf_clock_ops_of(struct hf_clock *clock);

/* Takes the Date (whole seconds) of an answer just now from the API server itself, `round_trip_ns` after the
 * request. */
void hf_clock_take_date(struct hf_clock *clock, uint64_t date_unix_ns, uint64_t round_trip_ns);

/* Witnesses farther apart (plus errors) contradict each other. */
void hf_clock_set_max_skew(struct hf_clock *clock, uint64_t max_skew_ns);

/* Whether a time server keeps the wall clock right. */
bool hf_clock_synchronized(struct hf_clock *clock);

/* Whether two witnesses agree, or a time server keeps the only credible witness right. */
bool hf_clock_is_sure(struct hf_clock *clock);

/* Fills the clock's fields of *file, to be saved next; clears bound_rose. */
void hf_clock_keep(struct hf_clock *clock, struct hf_clock_file *file);
