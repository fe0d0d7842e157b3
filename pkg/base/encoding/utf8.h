/* SPDX-License-Identifier: Apache-2.0 */
/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, at most U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool hf_utf8_valid(const char *bytes, size_t n);

/* Length of the first character (n >= 1), 1 to 4; 0: invalid or incomplete. */
size_t hf_utf8_length(const char *bytes, size_t n);

/* Length of the valid start. */
size_t hf_utf8_prefix(const char *bytes, size_t n);

/* Shortens `text` to its hf_utf8_prefix(). */
void hf_utf8_trim(char *text);

/* `point` <= 0x10ffff. Returns the bytes. */
size_t hf_utf8_put(uint32_t point, char bytes[4]);

/* First character of valid UTF-8 that JSON and YAML parsers may read differently, or 0: controls except tab, LF, CR;
 * U+007F to U+009F (U+0085 ends a line in YAML); U+2028, U+2029; U+FEFF; numbers ending in FFFE or FFFF. */
uint32_t hf_utf8_unportable(const char *text);
