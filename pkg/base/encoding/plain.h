/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/plain.h - makes texts of others safe for the terminals of people.
 *
 * A text from a file, a message or the cluster may hold characters on which a terminal acts: control characters (C0,
 * DEL, C1; some terminals also take the single bytes 0x80 to 0x9f for C1), line and paragraph separators, and
 * characters that change the direction of a text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
 * Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Returns the size in bytes of the first character of text[0..n), where n >= 1. Sets *ret_acts to true if a terminal
 * acts on it, or if it is a byte that is not UTF-8. */
size_t hf_plain_character(const char *text, size_t n, bool *ret_acts);

/* Copies n bytes of `text` to `out`, which has at least n bytes and may be `text` itself, with a '?' for each character
 * on which a terminal acts and each byte that is not UTF-8. Characters that `kept` (may be "") lists stay, such as
 * "\n". Returns the new length, which is not larger. */
size_t hf_plain_bytes(const char *text, size_t n, const char *kept, char *out);

/* Appends n bytes of JSON text to *out, with an escape \uXXXX for each character on which a terminal acts, and \ufffd
 * for each byte that is not UTF-8. JSON stays the same value. Returns 0, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_plain_json(const char *text, size_t n, struct hf_buf *out);
