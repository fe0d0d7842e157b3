/* SPDX-License-Identifier: Apache-2.0 */
/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, at most U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool hf_utf8_valid(const char *bytes, size_t n);

/* Length of the first character (n >= 1), 1 to 4; 0: invalid or incomplete. */
size_t hf_utf8_length(const char *bytes, size_t n);

/* Length of the valid beginning. */
size_t hf_utf8_prefix(const char *bytes, size_t n);

void hf_utf8_trim(char *text);

/* `point`: at most 0x10ffff. Returns the number of bytes. */
size_t hf_utf8_put(uint32_t point, char bytes[4]);

/* Returns the first character of valid UTF-8 that JSON and YAML parsers may read differently, or 0: controls except
 * tab, LF, CR; U+007F to U+009F; U+2028, U+2029; U+FEFF; numbers ending in FFFE or FFFF. */
uint32_t hf_utf8_unportable(const char *text);
