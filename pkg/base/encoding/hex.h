/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/hex.h - lower-case hexadecimal only, so that a value has one spelling. Pure; any thread. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* Into text[2n + 1]. Returns `text`. */
const char *hf_hex_encode(const void *bytes, size_t n, char *text);

/* Exactly 2n digits, else -EINVAL, and `bytes` is unchanged. */
HF_MUST_USE int hf_hex_decode(const char *text, void *bytes, size_t n);
