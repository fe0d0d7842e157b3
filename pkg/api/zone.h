/* api/zone.h - time zones from TZif files (RFC 8536) and the POSIX TZ rule at their end. A zone does not change once it
 * exists, so any thread may use it.
 *
 * We do not use the zone of libc: it applies to the whole process, and setenv(), which changes it, races with other
 * threads. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_zone;

/* Reads the zone from the system's zoneinfo folder; blocks. "UTC" gives NULL, which stands for UTC. -ENOENT: the folder
 * has no such zone. -EBADMSG: damaged file. */
HF_MUST_USE int hf_zone_load(const char *name, struct hf_zone **ret_zone, struct hf_err *err);

/* Parses the bytes of a TZif file, version 2 or later. */
HF_MUST_USE int hf_zone_parse(struct hf_view bytes, struct hf_zone **ret_zone, struct hf_err *err);
void hf_zone_free(struct hf_zone *zone);
HF_DEFINE_CLEANUP(struct hf_zone, hf_zone_free)

/* Returns the offset of local time from UTC at `unix_s`, in seconds; positive east of UTC. */
int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s);

/* Returns the Unix time at which the wall clock shows `local_s` (local time, in seconds since 1970 as if it were UTC).
 * If the clock shows this time twice, returns the first time. If the clock skips it, the result is as much after the
 * jump as `local_s` is after the start of the jump. */
int64_t hf_zone_unix_s(const struct hf_zone *zone, int64_t local_s);

/* Compute the days since 1970-01-01 (proleptic Gregorian) from a date, and the year from such a number of days.
 * Algorithm of Hinnant, "chrono-compatible low-level date algorithms". */
int64_t hf_zone_days_of_date(int64_t year, unsigned month, unsigned day);
int64_t hf_zone_year_of_days(int64_t days);

/* Returns the weekday of a day; 0 is Sunday. */
static inline unsigned hf_zone_weekday(int64_t days)
{
    return (unsigned)(((days % 7) + 11) % 7);
}
