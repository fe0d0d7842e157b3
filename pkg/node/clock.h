/* SPDX-License-Identifier: Apache-2.0 */
/* node/clock.h - the clock of the agent, which compares witnesses of the time, and recovers when a witness was wrong.
 *
 * The wall clock of a board without a battery starts in 1970, a time server may be wrong, and a stolen API server may
 * send a wrong Date. So the agent trusts no single witness. This clock reads the wall clock, takes the Date of the API
 * server, keeps a lower bound (node/time_bound.h), and judges all witnesses again at each reading (node/time_judge.h).
 * So a wrong witness does no permanent damage. hf_clock_range() returns the range of the present; hf_unix_ns() returns
 * the best guess in the range, which may go back. All durations use the monotonic clock. Threads: loop thread only. */
#pragma once

#include "base/clock.h"
#include "node/clock_file.h"
#include "node/time_bound.h"
#include "node/time_judge.h"
#include "node/time_track.h"

/* A Date that is this old or older cannot agree with the wall clock. An agreement counts for this long after the last
 * reading at which the Date and the wall clock agreed. The monotonic clock measures both durations, and the next
 * process goes on with the age of an agreement, so that no agreement counts for ever. */
#define HF_CLOCK_FRESH_NS (24ull * 3600 * HF_NS_PER_S)

#define HF_CLOCK_DEFAULT_SKEW_NS (300 * HF_NS_PER_S)

struct hf_clock {
    const struct hf_clock_ops *wall; /* borrowed */
    struct hf_time_bound bound;
    uint64_t date_unix_ns, date_mono_ns, date_error_ns; /* last Date of the server (date_unix_ns 0 means none) */
    uint64_t agreed_unix_ns, agreed_mono_ns;            /* last agreement (agreed_unix_ns 0 means none) */
    uint64_t agreed_age_ns;     /* age of this agreement at agreed_mono_ns; not 0 if an earlier process has saved it */
    struct hf_time_track track; /* the times that the wall clock has shown */
    /* sync_error_ns is the error that the kernel last stated for the wall clock (HF_NEVER means not synchronized);
     * sync_mono_ns is the monotonic time of that statement (HF_NEVER means that there is none) */
    uint64_t sync_error_ns, sync_mono_ns;
    uint64_t max_skew_ns;
    bool bound_rose; /* true if a signed time has raised the bound and is not yet in the clock file */
    struct hf_clock_ops ops;
};

/* Borrows `wall`. `kept` has the content of the file <state>/clock, or only zeros if there is no such file. */
void hf_clock_init(struct hf_clock *clock, const struct hf_clock_ops *wall, const struct hf_clock_file *kept);

/* Returns this clock as a table of operations (base/clock.h) for the other parts of the agent. The table is valid as
 * long as `clock`. */
const struct hf_clock_ops *hf_clock_ops_of(struct hf_clock *clock);

/* Records the Date of an answer that has just arrived from the API server itself, not from a proxy. `date_unix_ns` has
 * whole seconds. The agent sent the request at most `round_trip_ns` before this call. */
void hf_clock_take_date(struct hf_clock *clock, uint64_t date_unix_ns, uint64_t round_trip_ns);

/* Sets the largest difference at which two witnesses still count as alike. */
void hf_clock_set_max_skew(struct hf_clock *clock, uint64_t max_skew_ns);

/* Returns true while a time server keeps the wall clock right. */
bool hf_clock_synchronized(struct hf_clock *clock);

/* Returns true if the estimate is more than the word of one clock: two witnesses agree on it, or a time server keeps
 * the only credible one right. */
bool hf_clock_is_sure(struct hf_clock *clock);

/* Sets signed_unix_ns, synced_unix_ns, agreed_unix_ns, agreed_age_ns and track_unix_ns of *file. Call this function
 * just before you save the file, because it sets bound_rose to false. */
void hf_clock_keep(struct hf_clock *clock, struct hf_clock_file *file);
