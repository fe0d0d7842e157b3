/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal, in lower case except for hf_hex_value_any(). */
#pragma once

#include <stddef.h>

#include "base/macros.h"

extern const char hf_hex_digits[];

/* -1: not a digit. */
static inline int hf_hex_value(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static inline int hf_hex_value_any(char digit)
{
    return hf_hex_value(digit >= 'A' && digit <= 'F' ? (char)(digit | 0x20) : digit);
}

/* Fills text[2n + 1]. */
const char *hf_hex_encode(const void *bytes, size_t n, char *text);

/* Reads exactly 2n digits; else -EINVAL, and `bytes` are unchanged. */
HF_MUST_USE int hf_hex_decode(const char *text, void *bytes, size_t n);
