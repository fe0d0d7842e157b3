/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: parses a TZif file (RFC 8536, version 2 or later) and the POSIX TZ rule at its end.
 *
 * The transitions say the offset up to the last of them, the rule says it afterwards. The first data block of the
 * file, with times of 32 bits, is skipped. Files that count leap seconds are refused.
 *
 * Each length is checked against what is left, sums are of 64 bits and cannot overflow, and a file that breaks a
 * rule is refused whole (-EBADMSG). */
#include "api/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/array.h"
#include "base/endian.h"
#include "os/file.h"
#include "os/fs_posix.h"

#define ZONEINFO "/usr/share/zoneinfo"
enum {
    MAX_FILE_BYTES = 64 << 10,
    MAX_TRANSITIONS = 4000,
    MAX_OFFSET_S = 26 * 3600, /* RFC 8536, 3.2 */
    DAY_S = 86400,
    HEADER_BYTES = 44,
};

enum day_form { DAY_OF_MONTH_WEEK, DAY_OF_YEAR_NO_LEAP, DAY_OF_YEAR };

/* The moment of each year at which a POSIX rule changes the clock. */
struct change {
    enum day_form form;
    unsigned month, week, weekday; /* DAY_OF_MONTH_WEEK: week 5 is the last */
    unsigned day;                  /* 1..365 without 29 February, or 0..365 */
    int32_t time_s;                /* after local midnight, may be negative or above a day */
};

struct hf_zone {
    size_t n;        /* transitions */
    int64_t *at_s;   /* ascending */
    int32_t *to_s;   /* offset from then on */
    int32_t first_s; /* offset before the first */
    bool has_rule;   /* after the last: */
    bool has_summer;
    int32_t standard_s, summer_s;
    struct change to_summer, to_standard;
};

void hf_zone_free(struct hf_zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->at_s);
    free(zone->to_s);
    free(zone);
}

/* ---- calendar ---------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t hf_zone_days_of_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t hf_zone_year_of_days(int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    return year_of_era + era * 400 + (day_of_year >= 306);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Returns the change in seconds since 1970, on the wall clock before it. */
static int64_t change_local_s(const struct change *change, int64_t year)
{
    int64_t first = hf_zone_days_of_date(year, 1, 1), day;

    if (change->form == DAY_OF_YEAR) {
        day = first + change->day;
    } else if (change->form == DAY_OF_YEAR_NO_LEAP) {
        day = first + change->day - 1 + (is_leap(year) && change->day >= 60);
    } else {
        int64_t month = hf_zone_days_of_date(year, change->month, 1);
        int64_t next = change->month == 12 ? hf_zone_days_of_date(year + 1, 1, 1)
                                           : hf_zone_days_of_date(year, change->month + 1, 1);
        day = month + (change->weekday + 7 - hf_zone_weekday(month)) % 7 + 7 * (change->week - 1);
        while (day >= next)
            day -= 7;
    }
    return day * DAY_S + change->time_s;
}

static int32_t rule_offset_s(const struct hf_zone *zone, int64_t unix_s)
{
    if (!zone->has_summer)
        return zone->standard_s;
    int64_t year = hf_zone_year_of_days(floor_div(unix_s + zone->standard_s, DAY_S));
    int64_t begin = change_local_s(&zone->to_summer, year) - zone->standard_s;
    int64_t end = change_local_s(&zone->to_standard, year) - zone->summer_s;
    bool summer = begin < end ? unix_s >= begin && unix_s < end : unix_s >= begin || unix_s < end;

    return summer ? zone->summer_s : zone->standard_s;
}

int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s)
{
    if (zone == NULL)
        return 0;
    size_t before = hf_array_lower_bound(i, zone->n, zone->at_s[i] <= unix_s);
    if (before == zone->n && zone->has_rule)
        return rule_offset_s(zone, unix_s);
    return before == 0 ? zone->first_s : zone->to_s[before - 1];
}

int64_t hf_zone_unix_s(const struct hf_zone *zone, int64_t local_s)
{
    int32_t before = hf_zone_offset_s(zone, local_s - DAY_S), after = hf_zone_offset_s(zone, local_s + DAY_S);
    int64_t first = local_s - HF_MAX(before, after), second = local_s - HF_MIN(before, after);

    if (hf_zone_offset_s(zone, first) == HF_MAX(before, after))
        return first;
    if (hf_zone_offset_s(zone, second) == HF_MIN(before, after))
        return second;
    return local_s - before; /* skipped */
}

/* ---- the POSIX TZ rule (IEEE 1003.1, 8.3; hours up to 167 by RFC 8536, 3.3.1) ------------------------------------ */

static bool take_number(const char **p, unsigned max, unsigned *ret)
{
    unsigned value = 0;
    const char *q = *p;

    for (; *q >= '0' && *q <= '9' && q < *p + 4; q++)
        value = value * 10 + (unsigned)(*q - '0');
    if (q == *p || value > max)
        return false;
    *p = q;
    *ret = value;
    return true;
}

static bool take(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool take_name(const char **p)
{
    const char *start = *p;

    if (take(p, '<')) {
        *p += strcspn(*p, ">");
        return take(p, '>');
    }
    while ((**p >= 'a' && **p <= 'z') || (**p >= 'A' && **p <= 'Z'))
        (*p)++;
    return *p - start >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool take_hms(const char **p, unsigned max_hours, int32_t *ret_s)
{
    bool negative = **p == '-';
    unsigned hours, minutes = 0, seconds = 0;

    *p += negative || **p == '+';
    if (!take_number(p, max_hours, &hours))
        return false;
    if (take(p, ':') && !take_number(p, 59, &minutes))
        return false;
    if (take(p, ':') && !take_number(p, 59, &seconds))
        return false;
    *ret_s = (int32_t)(hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

static bool take_change(const char **p, struct change *ret)
{
    struct change change = {.time_s = 2 * 3600};
    bool good;

    if (take(p, 'M')) {
        change.form = DAY_OF_MONTH_WEEK;
        good = take_number(p, 12, &change.month) && change.month >= 1 && take(p, '.') &&
               take_number(p, 5, &change.week) && change.week >= 1 && take(p, '.') &&
               take_number(p, 6, &change.weekday);
    } else if (take(p, 'J')) {
        change.form = DAY_OF_YEAR_NO_LEAP;
        good = take_number(p, 365, &change.day) && change.day >= 1;
    } else {
        change.form = DAY_OF_YEAR;
        good = take_number(p, 365, &change.day);
    }
    if (!good || (take(p, '/') && !take_hms(p, 167, &change.time_s)))
        return false;
    *ret = change;
    return true;
}

static bool take_rule(const char *text, struct hf_zone *zone)
{
    const char *p = text;

    if (!take_name(&p) || !take_hms(&p, 24, &zone->standard_s))
        return false;
    zone->standard_s = -zone->standard_s; /* POSIX counts west */
    zone->has_rule = true;
    if (*p == '\0')
        return true;
    if (!take_name(&p))
        return false;
    zone->summer_s = zone->standard_s + 3600;
    if (*p != ',') {
        if (!take_hms(&p, 24, &zone->summer_s))
            return false;
        zone->summer_s = -zone->summer_s;
    }
    zone->has_summer = true;
    return take(&p, ',') && take_change(&p, &zone->to_summer) && take(&p, ',') && take_change(&p, &zone->to_standard) &&
           *p == '\0';
}

/* ---- TZif -------------------------------------------------------------------------------------------------------- */

static uint32_t be32(const char *p)
{
    return hf_be32((const unsigned char *)p);
}

static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct header {
    uint32_t n_ut, n_std, n_leap, n_time, n_type, n_char;
};

static bool take_header(struct hf_view *rest, struct header *ret)
{
    const char *p = rest->p;

    if (rest->n < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *ret = (struct header){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    rest->p += HEADER_BYTES;
    rest->n -= HEADER_BYTES;
    return true;
}

static bool skip(struct hf_view *rest, uint64_t n)
{
    if (n > rest->n)
        return false;
    rest->p += n;
    rest->n -= (size_t)n;
    return true;
}

/* Bytes of a data block with times of `width` bytes. 64 bits: six counts of 32 bits times at most 12 do not
 * overflow. */
static uint64_t block_bytes(const struct header *h, uint64_t width)
{
    return (uint64_t)h->n_time * (width + 1) + (uint64_t)h->n_type * 6 + h->n_char + (uint64_t)h->n_leap * (width + 4) +
           h->n_std + h->n_ut;
}

static bool offset_of_type(const struct header *h, const char *types, unsigned char type, int32_t *ret_s)
{
    if (type >= h->n_type)
        return false;
    *ret_s = (int32_t)be32(types + 6 * (size_t)type);
    return *ret_s > -MAX_OFFSET_S && *ret_s < MAX_OFFSET_S;
}

static bool take_transitions(const struct header *h, const char *block, struct hf_zone *zone)
{
    const char *indices = block + 8 * (size_t)h->n_time, *types = indices + h->n_time;

    for (size_t i = 0; i < h->n_time; i++) {
        zone->at_s[i] = be64(block + 8 * i);
        if ((i > 0 && zone->at_s[i] <= zone->at_s[i - 1]) ||
            !offset_of_type(h, types, (unsigned char)indices[i], &zone->to_s[i]))
            return false;
    }
    zone->n = h->n_time;
    return offset_of_type(h, types, 0, &zone->first_s);
}

static bool take_footer(struct hf_view rest, struct hf_zone *zone)
{
    char text[128];

    if (rest.n < 2 || rest.p[0] != '\n')
        return false;
    const char *end = memchr(rest.p + 1, '\n', rest.n - 1);
    size_t n = end != NULL ? (size_t)(end - rest.p - 1) : sizeof(text);
    if (n >= sizeof(text))
        return false;
    memcpy(text, rest.p + 1, n);
    text[n] = '\0';
    return n == 0 || take_rule(text, zone);
}

int hf_zone_parse(struct hf_view bytes, struct hf_zone **ret_zone, struct hf_err *err)
{
    _cleanup_(hf_zone_freep) struct hf_zone *zone = NULL;
    struct header h;

    if (!take_header(&bytes, &h) || !skip(&bytes, block_bytes(&h, 4)) || !take_header(&bytes, &h))
        return hf_err_set(err, EBADMSG, "not a time zone file of version 2 or later");
    if (h.n_type == 0 || h.n_type > 256 || h.n_time > MAX_TRANSITIONS || h.n_leap > 0 || block_bytes(&h, 8) > bytes.n)
        return hf_err_set(err, EBADMSG, "damaged time zone file, or one that counts leap seconds");
    zone = calloc(1, sizeof(*zone));
    if (zone == NULL)
        return -ENOMEM;
    zone->at_s = calloc((size_t)h.n_time + 1, sizeof(*zone->at_s));
    zone->to_s = calloc((size_t)h.n_time + 1, sizeof(*zone->to_s));
    if (zone->at_s == NULL || zone->to_s == NULL)
        return -ENOMEM;
    if (!take_transitions(&h, bytes.p, zone) || !skip(&bytes, block_bytes(&h, 8)) || !take_footer(bytes, zone))
        return hf_err_set(err, EBADMSG, "damaged time zone file");
    *ret_zone = hf_steal(zone);
    return 0;
}

int hf_zone_load(const char *name, struct hf_zone **ret_zone, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(MAX_FILE_BYTES);
    char path[128];
    int r;

    if (strcmp(name, "UTC") == 0) {
        *ret_zone = NULL;
        return 0;
    }
    if (!hf_text_is_time_zone(name))
        return hf_err_set(err, ENOENT, "'%.64s' is not a time zone name", name);
    (void)snprintf(path, sizeof(path), "%s/%s", ZONEINFO, name);
    r = hf_file_read(hf_fs_posix(), path, &bytes, err);
    if (r < 0)
        return r;
    return hf_zone_parse(hf_buf_view(&bytes), ret_zone, err);
}
