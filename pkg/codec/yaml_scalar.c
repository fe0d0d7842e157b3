/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
static const char *const trues[] = {"true", "True", "TRUE"};
static const char *const falses[] = {"false", "False", "FALSE"};
static const char *const not_finite[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};

static const char *skip_digits(const char *p, const char *digits)
{
    return p + strspn(p, digits);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    const char *whole = p;

    p = skip_digits(p, "0123456789");
    bool digits = p > whole;
    if (*p == '.') {
        const char *fraction = ++p;
        p = skip_digits(p, "0123456789");
        digits = digits || p > fraction;
    }
    if (!digits)
        return false;
    if (*p == 'e' || *p == 'E') {
        p += 1 + (p[1] == '-' || p[1] == '+');
        if (*skip_digits(p, "0123456789") != '\0' || *p == '\0')
            return false;
        return true;
    }
    return *p == '\0';
}

static enum hf_yaml_meaning to_integer(const char *digits, bool negative, int base, int64_t *ret)
{
    errno = 0;
    unsigned long long magnitude = strtoull(digits, NULL, base);

    if (errno != 0 || magnitude > (uint64_t)INT64_MAX + negative)
        return HF_YAML_TOO_BIG;
    *ret = negative ? (int64_t)(0u - (uint64_t)magnitude) : (int64_t)magnitude;
    return HF_YAML_INTEGER;
}

static bool all(const char *digits, const char *set)
{
    return *digits != '\0' && *skip_digits(digits, set) == '\0';
}

static enum hf_yaml_meaning number(const char *text, int64_t *ret_integer, double *ret_real)
{
    bool negative = *text == '-';
    const char *digits = text + (negative || *text == '+');

    if (all(digits, "0123456789")) {
        if (digits[0] == '0' && digits[1] != '\0')
            return HF_YAML_OCTAL_LOOKING;
        return to_integer(digits, negative, 10, ret_integer);
    }
    if (digits == text && strncmp(text, "0x", 2) == 0 && all(text + 2, "0123456789abcdefABCDEF"))
        return to_integer(text + 2, false, 16, ret_integer);
    if (digits == text && strncmp(text, "0o", 2) == 0 && all(text + 2, "01234567"))
        return to_integer(text + 2, false, 8, ret_integer);
    if (is_one_of(digits, not_finite, HF_LEN(not_finite)))
        return HF_YAML_NOT_FINITE;
    if (!is_real(text))
        return HF_YAML_STRING;
    *ret_real = strtod(text, NULL);
    return isfinite(*ret_real) ? HF_YAML_REAL : HF_YAML_TOO_BIG;
}

enum hf_yaml_meaning hf_yaml_scalar_meaning(const char *text, int64_t *ret_integer, double *ret_real)
{
    if (is_one_of(text, nulls, HF_LEN(nulls)))
        return HF_YAML_NULL;
    if (is_one_of(text, trues, HF_LEN(trues)))
        return HF_YAML_TRUE;
    if (is_one_of(text, falses, HF_LEN(falses)))
        return HF_YAML_FALSE;
    return number(text, ret_integer, ret_real);
}
