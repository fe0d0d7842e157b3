/* api/zone.h - time zones from TZif files (RFC 8536) and the POSIX TZ rule at their end, read by ourselves: libc knows
 * one zone per process, and changing it by setenv() is a race. Immutable once made. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_zone;

/* From the system's zoneinfo folder. "UTC" gives NULL, which is UTC. -ENOENT no such zone; -EBADMSG damaged file.
 * Blocks. */
HF_MUST_USE int hf_zone_load(const char *name, struct hf_zone **ret_zone, struct hf_err *err);
/* From the bytes of a TZif file, version 2 or later. */
HF_MUST_USE int hf_zone_parse(struct hf_view bytes, struct hf_zone **ret_zone, struct hf_err *err);
void hf_zone_free(struct hf_zone *zone);
HF_DEFINE_CLEANUP(struct hf_zone, hf_zone_free)

/* Seconds east of UTC at that moment. */
int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s);
/* The moment when the wall clock there shows `local_s` (seconds since 1970 as if it were UTC): the first of two; for a
 * time that is skipped, as much after the jump as it is after the jump's beginning. */
int64_t hf_zone_unix_s(const struct hf_zone *zone, int64_t local_s);

/* Days since 1970-01-01 and back (proleptic Gregorian; algorithm of Hinnant, "chrono-compatible low-level date
 * algorithms"). Weekday: 0 Sunday. */
int64_t hf_zone_days_of_date(int64_t year, unsigned month, unsigned day);
int64_t hf_zone_year_of_days(int64_t days);
static inline unsigned hf_zone_weekday(int64_t days)
{
    return (unsigned)(((days % 7) + 11) % 7);
}
