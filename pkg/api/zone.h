/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones from TZif files (RFC 8536) with their POSIX TZ rule. A zone never changes. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

struct hf_zone;

/* Loads a zone from the system's zoneinfo folder; blocks. "UTC" gives NULL. -ENOENT. -EBADMSG as hf_zone_parse(). */
HF_MUST_USE int hf_zone_load(const char *name, struct hf_zone **ret_zone, struct hf_err *err);

/* -EBADMSG: below version 2, damaged, or with leap seconds. */
HF_MUST_USE int hf_zone_parse(struct hf_view bytes, struct hf_zone **ret_zone, struct hf_err *err);
void hf_zone_free(struct hf_zone *zone);
HF_DEFINE_CLEANUP(struct hf_zone, hf_zone_free)

/* Positive east of Greenwich. */
int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s);

/* `local_s` is a local time in seconds since 1970, as if UTC. Returns the first moment of a time that comes twice. A
 * time that the clock jumps over becomes later by the jump. */
int64_t hf_zone_unix_s(const struct hf_zone *zone, int64_t local_s);

/* Gregorian, from 1970-01-01: Hinnant, "chrono-compatible low-level date algorithms". */
int64_t hf_zone_days_of_date(int64_t year, unsigned month, unsigned day);
int64_t hf_zone_year_of_days(int64_t days);

/* 0 is Sunday. */
static inline unsigned hf_zone_weekday(int64_t days)
{
    return (unsigned)(((days % 7) + 11) % 7);
}
