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

/* Writes the character with number `point`, at most 0x10ffff, as 1 to 4 bytes. Returns the number of bytes. */
size_t hf_utf8_put(uint32_t point, char bytes[4]);
