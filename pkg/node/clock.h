/* node/clock.h - a wall clock that never goes back, and an estimate of its error.
 *
 * The clock of a board without a battery starts in 1970, at the date of the image, or at the time that fake-hwclock
 * saved. The floor is the newest time that the node believed. The clock for the other parts of the agent shows max(wall
 * clock, floor + time since the floor was raised), so an expiry that has passed stays passed. The agent keeps the floor
 * in <state>/clock, together with the time of the last contact.
 *
 * The floor follows the wall clock in small steps. The floor follows a leap forward of more than HF_CLOCK_FLOOR_LEAP_NS
 * only if the Date of the API server agrees within max_skew_ns. Without this rule, a single wrong answer of a time
 * server would let certificates and releases expire for good. The floor is never below the date of the build. Pure,
 * except the table of hf_clock_floor_ops(). Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_CLOCK_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01; each release moves it forward */
#define HF_CLOCK_FLOOR_LEAP_NS (400ull * 24 * 3600 * HF_NS_PER_S)

struct hf_clock_floor {
    const struct hf_clock_ops *wall; /* borrowed */
    uint64_t floor_unix_ns;          /* newest time that the node believed */
    uint64_t floor_mono_ns;          /* monotonic time at which floor_unix_ns was set */
    struct hf_clock_ops ops;         /* the table of hf_clock_floor_ops() */
};

/* `kept_unix_ns` is the newest time in the file <state>/clock; 0: there is no file. */
void hf_clock_floor_init(struct hf_clock_floor *floor, const struct hf_clock_ops *wall, uint64_t kept_unix_ns);

/* Returns the clock for the other parts of the agent. It is valid as long as `floor`. */
const struct hf_clock_ops *hf_clock_floor_ops(struct hf_clock_floor *floor);

/* Call when the API server itself reports `server_unix_ns` as the current time. Raises the floor to the wall clock if
 * wall clock and server agree within max_skew_ns. Otherwise, if the node's clock is behind server_unix_ns -
 * max_skew_ns, raises the floor to that time. */
void hf_clock_floor_witness(struct hf_clock_floor *floor, uint64_t server_unix_ns, uint64_t max_skew_ns);

/* ---- skew -------------------------------------------------------------------------------------------------------- */

enum hf_clock_ntp { HF_CLOCK_NTP_UNKNOWN, HF_CLOCK_NTP_SYNCHRONIZED, HF_CLOCK_NTP_UNSYNCHRONIZED };

/* Reads the kernel's clock discipline (adjtimex(2)), which the NTP or PTP client sets. */
enum hf_clock_ntp hf_clock_ntp_read(void);

/* An estimate of the API server's clock: the Date of the server's last answer plus the monotonic time since that
 * answer. A leap of our own clock does not change the estimate. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    /* true once the clocks differ by more than max_skew_ns, until they differ by at most 4/5 of it; so the flag does
     * not flap */
    bool exceeded;
};

/* `date_unix_ns` is the Date header (whole seconds) of an answer that arrived at mono_ns. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns);

/* Returns server time minus our time, precise to about half a second, or 0 while the server time is unknown. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates `exceeded` and returns it. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum { HF_CLOCK_FILE_MAX = 512 };

/* Content of <state>/clock. A value of 0 means unknown. */
struct hf_clock_file {
    uint64_t newest_unix_ns;
    uint64_t contact_unix_ns;
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* Parses the file. -EBADMSG: the file is damaged or has an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
