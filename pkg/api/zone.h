/* SPDX-License-Identifier: Apache-2.0 */
/* api/zone.h - time zones from TZif files (RFC 8536) and the POSIX TZ rule at the end of such a file. Threads: any,
 * because a struct hf_zone never changes.
 *
 * The time zone of libc is not suitable, because it applies to the whole process, and because setenv(), which changes
 * it, races with other threads. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_zone;

/* Reads the zone from the system's zoneinfo folder; blocks. For the name "UTC", sets *ret_zone to NULL, which stands
 * for UTC. -ENOENT: the folder has no zone with this name. -EBADMSG: the file is damaged, or counts leap seconds. Other
 * errors are those of hf_file_read(). */
HF_MUST_USE int hf_zone_load(const char *name, struct hf_zone **ret_zone, struct hf_err *err);

/* Parses the content of a TZif file of version 2 or later. -EBADMSG: the content is damaged, has another version, or
 * counts leap seconds. */
HF_MUST_USE int hf_zone_parse(struct hf_view bytes, struct hf_zone **ret_zone, struct hf_err *err);
void hf_zone_free(struct hf_zone *zone);
HF_DEFINE_CLEANUP(struct hf_zone, hf_zone_free)

/* Returns the offset of the zone's local time from UTC at the time `unix_s`, in seconds; the offset is positive east of
 * Greenwich. */
int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s);

/* Returns the Unix time at which the wall clock shows the local time `local_s`, given in seconds since 1970 as if the
 * local time were UTC. If the wall clock shows this local time twice, returns the first moment. If the wall clock jumps
 * over this local time, the result is later than the jump, by the difference between `local_s` and the local time at
 * which the jump starts. */
int64_t hf_zone_unix_s(const struct hf_zone *zone, int64_t local_s);

/* hf_zone_days_of_date() computes the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar.
 * hf_zone_year_of_days() computes the year from such a number of days. The algorithms are from Hinnant,
 * "chrono-compatible low-level date algorithms". */
int64_t hf_zone_days_of_date(int64_t year, unsigned month, unsigned day);
int64_t hf_zone_year_of_days(int64_t days);

/* Returns the weekday (0 is Sunday) of the day that is `days` days after 1970-01-01. */
static inline unsigned hf_zone_weekday(int64_t days)
{
    return (unsigned)(((days % 7) + 11) % 7);
}
