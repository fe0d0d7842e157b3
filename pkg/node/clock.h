/* node/clock.h - a wall clock that never goes back, and an estimate of its error.
 *
 * Boards without a battery start in 1970, at the image's date, or where fake-hwclock left them. The floor is the
 * newest time that the node believed; the clock for the rest of the agent shows max(wall, floor + time run since),
 * so an expiry that has passed stays passed. The agent keeps the floor in <state>/clock, together with the time of
 * last contact.
 *
 * The floor follows the wall clock in small steps. It believes a leap forward of more than HF_CLOCK_FLOOR_LEAP_NS
 * only if the API server's Date agrees within `max_skew`; otherwise one bad time server would freeze certificates
 * and releases for good. The build's date is the lowest floor. Pure, except the table of hf_clock_floor_ops().
 * Threads: loop thread only. */
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
    uint64_t floor_unix_ns;          /* newest time that the node believed ... */
    uint64_t floor_mono_ns;          /* ... and the monotonic time at which it did */
    struct hf_clock_ops ops;         /* the table of hf_clock_floor_ops() */
};

/* `kept_unix_ns`: the time in the file; 0 without one. */
void hf_clock_floor_init(struct hf_clock_floor *floor, const struct hf_clock_ops *wall, uint64_t kept_unix_ns);

/* Returns the clock for everybody else; valid as long as the floor. */
const struct hf_clock_ops *hf_clock_floor_ops(struct hf_clock_floor *floor);

/* The API server reports `server_unix_ns` now (proven contact). Raises the floor to the wall clock if both agree
 * within max_skew_ns, or to the server's time less the allowance if we are behind it. */
void hf_clock_floor_witness(struct hf_clock_floor *floor, uint64_t server_unix_ns, uint64_t max_skew_ns);

/* ---- skew -------------------------------------------------------------------------------------------------------- */

enum hf_clock_ntp { HF_CLOCK_NTP_UNKNOWN, HF_CLOCK_NTP_SYNCHRONIZED, HF_CLOCK_NTP_UNSYNCHRONIZED };

/* Reads the kernel's clock discipline (adjtimex(2)), which the NTP or PTP client sets. */
enum hf_clock_ntp hf_clock_ntp_read(void);

/* The API server's clock, from the Date of its last answer and the time run since: a leap of our own clock does not
 * move it. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    /* set when the clocks differ by more than max_skew, cleared only below 4/5 of max_skew, so that it does not flap */
    bool exceeded;
};

/* `date_unix_ns`: the Date header, whole seconds, received at mono_ns. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns);

/* Returns server time less our time, precise to about half a second; 0 while unknown. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Updates `exceeded` and returns it. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum { HF_CLOCK_FILE_MAX = 512 };

/* Content of <state>/clock; 0: unknown. */
struct hf_clock_file {
    uint64_t newest_unix_ns;
    uint64_t contact_unix_ns;
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* Parses the file. -EBADMSG: damaged, or of an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
