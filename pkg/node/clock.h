/* node/clock.h - a wall clock that never goes back, and how wrong it may be.
 *
 * Boards without a battery start in 1970, at the image's date, or where fake-hwclock left them. The floor is the newest time
 * that could be believed; the clock given to the rest of the agent shows max(wall, floor + time run since), so an expiry that
 * was once passed stays passed. The floor is kept in <state>/clock together with the time of last contact (see sync/stale.h).
 *
 * What is believed: the floor follows the wall clock in small steps; a leap of more than HF_CLOCK_FLOOR_LEAP_NS forward is believed
 * only when the API server's Date agrees within `max_skew`, else one bad time server would freeze certificates and releases
 * for good. The build's date is the lowest floor. Pure, but for the ops table of hf_clock_floor_ops(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_CLOCK_BUILD_UNIX_NS (1793491200ull * HF_NS_PER_S) /* 2026-11-01: moved on with each release */
#define HF_CLOCK_FLOOR_LEAP_NS (400ull * 24 * 3600 * HF_NS_PER_S)

struct hf_clock_floor {
    const struct hf_clock_ops *wall; /* borrowed */
    uint64_t floor_unix_ns;          /* newest believed time ... */
    uint64_t floor_mono_ns;          /* ... and when it was believed */
    struct hf_clock_ops ops;         /* what hf_clock_floor_ops() gives */
};

/* `kept_unix_ns`: what the file said, 0 when there was none. */
void hf_clock_floor_init(struct hf_clock_floor *floor, const struct hf_clock_ops *wall, uint64_t kept_unix_ns);

/* The clock for everybody else; lives as long as the floor. */
const struct hf_clock_ops *hf_clock_floor_ops(struct hf_clock_floor *floor);

/* The API server said `server_unix_ns` now (proven contact). Raises the floor when the wall clock agrees within
 * max_skew_ns, or to the server's own time less the allowance when we are behind it. */
void hf_clock_floor_witness(struct hf_clock_floor *floor, uint64_t server_unix_ns, uint64_t max_skew_ns);

/* ---- skew --------------------------------------------------------------------------------------------------------- */

enum hf_clock_ntp { HF_CLOCK_NTP_UNKNOWN, HF_CLOCK_NTP_SYNCHRONIZED, HF_CLOCK_NTP_UNSYNCHRONIZED };

/* The kernel's clock discipline (adjtimex(2)), set by whatever NTP or PTP client runs. */
enum hf_clock_ntp hf_clock_ntp_read(void);

/* The API server's clock, from the Date of its last answer and the time run since: a leap of our own clock does not move it. */
struct hf_clock_skew {
    bool known;
    uint64_t server_unix_ns, at_mono_ns;
    bool exceeded; /* beyond max_skew; leaves only below 4/5 of it, so that it does not flap */
};

/* `date_unix_ns`: the Date header, whole seconds, heard at mono_ns. */
void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns);

/* Server less us; precision about half a second. 0 while nothing is known. */
int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns);

/* Bring `exceeded` up to date; returns it. */
bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns);

/* ---- the file ----------------------------------------------------------------------------------------------------- */

enum { HF_CLOCK_FILE_MAX = 512 };

/* What <state>/clock holds; 0 for what is not known. */
struct hf_clock_file {
    uint64_t newest_unix_ns;
    uint64_t contact_unix_ns;
};
HF_MUST_USE int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out);
/* -EBADMSG damaged or of an unknown format. */
HF_MUST_USE int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err);
