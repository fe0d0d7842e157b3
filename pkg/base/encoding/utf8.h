/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/utf8.h - strict UTF-8 (RFC 3629): no surrogates, no overlong forms, at most U+10FFFF. Pure; any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool hf_utf8_valid(const char *bytes, size_t n);

/* Returns the size in bytes, 1 to 4, of the first character of bytes[0..n), where n >= 1. Returns 0 if that character
 * is invalid or incomplete. */
size_t hf_utf8_length(const char *bytes, size_t n);

/* Returns the length in bytes of the longest prefix of bytes[0..n) that consists of whole valid characters. A caller
 * can cut the text after this prefix. */
size_t hf_utf8_prefix(const char *bytes, size_t n);

/* Shortens `text`, which was cut at a fixed length, to its longest prefix of whole valid characters. */
void hf_utf8_trim(char *text);

/* Writes the character with number `point`, at most 0x10ffff, as 1 to 4 bytes. Returns the number of bytes. */
size_t hf_utf8_put(uint32_t point, char bytes[4]);

/* Looks in a valid UTF-8 text for characters that JSON and YAML parsers may read differently. Returns the code point of
 * the first such character, or 0 if there is none. Such characters are: control characters except tab, line feed and
 * carriage return; U+007F to U+009F (U+0085 ends a line in YAML); the separators U+2028 and U+2029; the byte order mark
 * U+FEFF; and the characters whose hex number ends in FFFE or FFFF. */
uint32_t hf_utf8_unportable(const char *text);
