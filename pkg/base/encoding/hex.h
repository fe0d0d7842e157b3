/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/hex.h - converts bytes to and from hexadecimal text. The text has lower-case digits only, so that one
 * value has one spelling. Pure; any thread. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* Writes n bytes as 2n hex digits and a terminator into text[2n + 1]. Returns `text`. */
const char *hf_hex_encode(const void *bytes, size_t n, char *text);

/* Reads exactly n bytes from 2n digits. -EINVAL: the text has another length, or a character other than 0-9 and a-f;
 * the function then leaves `bytes` unchanged. */
HF_MUST_USE int hf_hex_decode(const char *text, void *bytes, size_t n);
