/* base/encoding/hex.h - bytes as hexadecimal text, lower case only, so that one value has one spelling. Pure; any
 * thread. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* Writes n bytes as hex into text[2n + 1]; returns text. */
const char *hf_hex_encode(const void *bytes, size_t n, char *text);

/* Reads exactly n bytes from 2n digits. -EINVAL: the text has another length, or a character other than 0-9 and a-f;
 * `bytes` then stays unchanged. */
HF_MUST_USE int hf_hex_decode(const char *text, void *bytes, size_t n);
