/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/number.h"

#include <math.h>

#include "base/macros.h"

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
    "99";

/* Decimal, ending before `end`; returns where it begins. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * value, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT])
{
    char digits[20], *start = digits_before(digits + sizeof(digits), value);
    size_t n = (size_t)(digits + sizeof(digits) - start);

    memcpy(text, start, n);
    return n;
}

/* digits / 10^places; the last digit is no zero. */
static size_t put_decimal(char *text, uint64_t digits, size_t places)
{
    char room[40], *end = room + sizeof(room), *start = digits_before(end, digits);

    while ((size_t)(end - start) <= places)
        *--start = '0';
    size_t whole = (size_t)(end - start) - places;
    memcpy(text, start, whole);
    text[whole] = '.';
    memcpy(text + whole + 1, end - places, places);
    return whole + 1 + places;
}

/* Any number of at most 15 decimal places and 2^53: m / 10^k with both exact is rounded once, as reading it is, so when
 * it gives the value back, so will every reader. Others take the slow and sure way. */
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT])
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const double most = 9007199254740992.0; /* 2^53 */
    double size = fabs(value);
    size_t sign = signbit(value) != 0;

    text[0] = '-';
    text += sign;
    if (size < 18446744073709551616.0 && size == (double)(uint64_t)size)
        return sign + hf_number_u64((uint64_t)size, text);
    for (size_t k = 1; k < HF_LEN(tens) && size * tens[k] <= most; k++) {
        uint64_t digits = (uint64_t)(size * tens[k] + 0.5);
        if ((double)digits / tens[k] == size)
            return sign + put_decimal(text, digits, k);
    }
    return sign + (size_t)snprintf(text, HF_NUMBER_TEXT - sign, "%.17g", size);
}

int hf_number_add(struct hf_buf *out, const char *name, double value)
{
    char text[HF_NUMBER_TEXT];
    int r = hf_buf_add_str(out, name);

    return r < 0             ? r
           : isfinite(value) ? hf_buf_add(out, text, hf_number_double(value, text))
                             : hf_buf_add_str(out, "null");
}
