/* node/clock.h - the clock of the agent: compares witnesses of the time, and recovers from each lie.
 *
 * The wall clock of a board without a battery starts in 1970, a time server may err, and a stolen API server may lie.
 * So the agent believes no single witness. This clock reads the wall clock, takes the Date of the API server, keeps a
 * lower bound (node/time_bound.h), and judges all of them anew at each reading (node/time_judge.h): it has no memory
 * that a lie could spoil for good. hf_clock_range() returns the range of the present; hf_unix_ns() returns the best
 * guess in the range, which may go back. All durations use the monotonic clock. Threads: loop thread only. */
#pragma once

#include "base/clock.h"
#include "node/clock_file.h"
#include "node/time_bound.h"
#include "node/time_judge.h"
#include "node/time_track.h"

/* A Date can agree with the wall clock for this long (monotonic time), and an agreement counts for this long after it
 * ended. So nothing that two witnesses once said lasts for ever. */
#define HF_CLOCK_FRESH_NS (24ull * 3600 * HF_NS_PER_S)

#define HF_CLOCK_DEFAULT_SKEW_NS (300 * HF_NS_PER_S)

struct hf_clock {
    const struct hf_clock_ops *wall; /* borrowed */
    struct hf_time_bound bound;
    uint64_t date_unix_ns, date_mono_ns, date_error_ns; /* last Date of the server; date_unix_ns 0: none */
    uint64_t agreed_unix_ns, agreed_mono_ns;            /* last agreement; agreed_unix_ns 0: none */
    struct hf_time_track track;                         /* what the wall clock showed so far */
    uint64_t sync_error_ns, sync_mono_ns;               /* last answer of the kernel, and when it was asked */
    uint64_t max_skew_ns;
    bool bound_rose; /* a signed time raised the bound, and the file does not hold that time yet */
    struct hf_clock_ops ops;
};

/* Borrows `wall`. `kept` is the file <state>/clock; all 0 if there is none. */
void hf_clock_init(struct hf_clock *clock, const struct hf_clock_ops *wall, const struct hf_clock_file *kept);

/* Returns the table for the other parts of the agent. It is valid as long as `clock`. */
const struct hf_clock_ops *hf_clock_ops_of(struct hf_clock *clock);

/* The API server itself sent the Date `date_unix_ns` (whole seconds), which arrived just now. The request left at most
 * `round_trip_ns` before. */
void hf_clock_take_date(struct hf_clock *clock, uint64_t date_unix_ns, uint64_t round_trip_ns);

/* Sets the difference up to which two witnesses are alike. */
void hf_clock_set_max_skew(struct hf_clock *clock, uint64_t max_skew_ns);

/* Returns true while a time server keeps the wall clock. */
bool hf_clock_synchronized(struct hf_clock *clock);

/* Fills in all fields of *file but the contact. Call it to save the file; bound_rose becomes false. */
void hf_clock_keep(struct hf_clock *clock, struct hf_clock_file *file);
