/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, durations, sizes, shares and times from texts, in the forms that the APIs use.
 *
 * Every parser reads the whole text and refuses what is left behind it. -EINVAL: another form; -ERANGE: the right
 * form, but out of bounds. Nothing depends on the locale, and no sum or product can overflow: fractions are kept as
 * billionths, and a value is computed in two parts. A date that does not exist, such as 31 February, is refused. */
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *p into *ret; false if there are none, or on overflow. */
static bool take_digits(const char **p, uint64_t *ret)
{
    uint64_t value = 0;
    const char *q = *p;

    if (!is_digit(*q))
        return false;
    for (; is_digit(*q); q++)
        if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (uint64_t)(*q - '0'), &value))
            return false;
    *p = q;
    *ret = value;
    return true;
}

static int parse_magnitude(const char *text, uint64_t *ret)
{
    const char *p = text;

    if (!is_digit(*p) || (p[0] == '0' && p[1] != '\0'))
        return -EINVAL;
    while (is_digit(*p))
        p++;
    if (*p != '\0')
        return -EINVAL;
    p = text;
    return take_digits(&p, ret) ? 0 : -ERANGE;
}

int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    uint64_t value;
    int r = parse_magnitude(text, &value);

    if (r < 0)
        return r;
    if (value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = text[0] == '-';
    uint64_t magnitude;
    int r = parse_magnitude(text + negative, &magnitude);

    if (r < 0)
        return r;
    if (magnitude > (uint64_t)INT64_MAX + negative || (negative && magnitude == 0))
        return negative && magnitude == 0 ? -EINVAL : -ERANGE;
    int64_t value = negative ? (int64_t)(0u - magnitude) : (int64_t)magnitude;
    if (value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* Reads digits['.'digits]; keeps nine digits of the fraction. */
static int take_scaled(const char **p, uint64_t *ret_whole, uint64_t *ret_billionths)
{
    uint64_t scale = 100000000;

    if (!take_digits(p, ret_whole))
        return is_digit(**p) ? -ERANGE : -EINVAL;
    *ret_billionths = 0;
    if (**p != '.')
        return 0;
    (*p)++;
    if (!is_digit(**p))
        return -EINVAL;
    for (; is_digit(**p); (*p)++, scale /= 10)
        *ret_billionths += (uint64_t)(**p - '0') * scale;
    return 0;
}

static int scale_up(uint64_t whole, uint64_t billionths, uint64_t unit, uint64_t *ret)
{
    /* Computes in two parts, so that no product exceeds 64 bits: unit is below 2^60, billionths below 2^30. */
    uint64_t value,
        part = unit / 1000000000u * billionths + (unit % 1000000000u * billionths + 999999999u) / 1000000000u;

    if (__builtin_mul_overflow(whole, unit, &value) || __builtin_add_overflow(value, part, &value))
        return -ERANGE;
    *ret = value;
    return 0;
}

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit duration_units[] = {
    {"ns", 1},          {"us", HF_NS_PER_US},    {"ms", HF_NS_PER_MS},
    {"s", HF_NS_PER_S}, {"m", 60 * HF_NS_PER_S}, {"h", 3600 * HF_NS_PER_S},
};

static const struct unit quantity_units[] = {
    {"", 1},
    {"k", 1000},
    {"M", 1000000},
    {"G", 1000000000},
    {"T", 1000000000000},
    {"P", 1000000000000000},
    {"Ki", 1ull << 10},
    {"Mi", 1ull << 20},
    {"Gi", 1ull << 30},
    {"Ti", 1ull << 40},
    {"Pi", 1ull << 50},
};

static const struct unit *find_unit(const struct unit *units, size_t n, const char *name, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return &units[i];
    return NULL;
}

static size_t letters(const char *p)
{
    size_t n = 0;

    while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z'))
        n++;
    return n;
}

int hf_parse_duration(const char *text, uint64_t *ret_ns)
{
    const uint64_t limit = 100ull * 366 * 86400 * HF_NS_PER_S;
    const char *p = text;
    uint64_t total = 0;

    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    do {
        uint64_t whole, billionths, part;
        int r = take_scaled(&p, &whole, &billionths);
        if (r < 0)
            return r;
        size_t n = letters(p);
        const struct unit *unit = find_unit(duration_units, HF_LEN(duration_units), p, n);
        if (unit == NULL)
            return -EINVAL;
        p += n;
        r = scale_up(whole, billionths, unit->size, &part);
        if (r < 0 || part > limit || total > limit - part)
            return -ERANGE;
        total += part;
    } while (*p != '\0');
    *ret_ns = total;
    return 0;
}

int hf_parse_quantity(const char *text, uint64_t *ret_bytes)
{
    const char *p = text;
    uint64_t whole, billionths;
    int r = take_scaled(&p, &whole, &billionths);

    if (r < 0)
        return r;
    const struct unit *unit = find_unit(quantity_units, HF_LEN(quantity_units), p, strlen(p));
    if (unit == NULL)
        return -EINVAL;
    return scale_up(whole, billionths, unit->size, ret_bytes);
}

int hf_parse_percent(const char *text, unsigned *ret_basis_points)
{
    const char *p = text;
    uint64_t whole, billionths;
    int r = take_scaled(&p, &whole, &billionths);

    if (r < 0)
        return r;
    if (strcmp(p, "%") != 0 || billionths % 10000000 != 0)
        return -EINVAL;
    if (whole > 100 || (whole == 100 && billionths > 0))
        return -ERANGE;
    *ret_basis_points = (unsigned)(whole * 100 + billionths / 10000000);
    return 0;
}

/* Reads exactly n digits. */
static bool take_fixed(const char **p, unsigned n, int min, int max, int *ret)
{
    int value = 0;

    for (unsigned i = 0; i < n; i++, (*p)++) {
        if (!is_digit(**p))
            return false;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool take_clock(const char **p, struct tm *tm)
{
    return take_fixed(p, 2, 0, 23, &tm->tm_hour) && take_char(p, ':') && take_fixed(p, 2, 0, 59, &tm->tm_min) &&
           take_char(p, ':') && take_fixed(p, 2, 0, 60, &tm->tm_sec);
}

static bool take_offset(const char **p, int64_t *ret_seconds)
{
    int hours, minutes;
    bool east = **p == '+';

    *ret_seconds = 0;
    if (take_char(p, 'Z'))
        return true;
    if (!east && **p != '-')
        return false;
    (*p)++;
    if (!take_fixed(p, 2, 0, 23, &hours) || !take_char(p, ':') || !take_fixed(p, 2, 0, 59, &minutes))
        return false;
    int64_t seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *ret_seconds = east ? seconds : -seconds;
    return true;
}

/* Seconds since 1970 of a UTC date; -EINVAL if the day does not exist (31 February). */
static int to_unix_s(struct tm *tm, int64_t *ret)
{
    struct tm copy = *tm;
    int64_t seconds = (int64_t)timegm(&copy);

    if (copy.tm_mday != tm->tm_mday && tm->tm_sec != 60)
        return -EINVAL;
    *ret = seconds;
    return 0;
}

int hf_parse_time(const char *text, uint64_t *ret_unix_ns)
{
    struct tm tm = {0};
    const char *p = text;
    uint64_t fraction_ns = 0;
    int year, month;
    int64_t offset, seconds;

    if (!take_fixed(&p, 4, 0, 9999, &year) || !take_char(&p, '-') || !take_fixed(&p, 2, 1, 12, &month) ||
        !take_char(&p, '-') || !take_fixed(&p, 2, 1, 31, &tm.tm_mday) || !take_char(&p, 'T') || !take_clock(&p, &tm))
        return -EINVAL;
    if (take_char(&p, '.')) {
        uint64_t scale = HF_NS_PER_S / 10;
        if (!is_digit(*p))
            return -EINVAL;
        for (; is_digit(*p); p++, scale /= 10)
            fraction_ns += (uint64_t)(*p - '0') * scale;
    }
    if (!take_offset(&p, &offset) || *p != '\0')
        return -EINVAL;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    if (to_unix_s(&tm, &seconds) < 0)
        return -EINVAL;
    seconds -= offset;
    if (seconds < 0 || year > 2261)
        return -ERANGE;
    *ret_unix_ns = (uint64_t)seconds * HF_NS_PER_S + fraction_ns;
    return 0;
}

int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    int64_t seconds;
    int year;

    if (strlen(text) != 29 || text[3] != ',' || text[4] != ' ' || text[7] != ' ' || text[11] != ' ' || text[16] != ' ')
        return -EINVAL;
    const char *day = text + 5, *year_text = text + 12, *clock = text + 17;
    tm.tm_mon = -1;
    for (int i = 0; i < 12; i++)
        if (memcmp(months + i * 3, text + 8, 3) == 0)
            tm.tm_mon = i;
    if (tm.tm_mon < 0 || !take_fixed(&day, 2, 1, 31, &tm.tm_mday) || !take_fixed(&year_text, 4, 1970, 2261, &year) ||
        !take_clock(&clock, &tm) || strcmp(clock, " GMT") != 0)
        return -EINVAL;
    tm.tm_year = year - 1900;
    if (to_unix_s(&tm, &seconds) < 0 || seconds < 0)
        return -EINVAL;
    *ret_unix_ns = (uint64_t)seconds * HF_NS_PER_S;
    return 0;
}
