/* SPDX-License-Identifier: Apache-2.0 */
/* Makes texts of others safe for terminals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Bytes of the first character (n >= 1). *ret_acts: acts on a terminal, or is not UTF-8. */
size_t hf_plain_character(const char *text, size_t n, bool *ret_acts);

/* Replaces such characters by '?', except those in `kept`, such as "\n". `out` has n bytes, may be `text`. Returns the
 * length. */
size_t hf_plain_bytes(const char *text, size_t n, const char *kept, char *out);

/* Appends JSON with such characters, except "\n\t", as escapes (\uXXXX; \ufffd: not UTF-8), which keep the value.
 * -E2BIG. */
HF_MUST_USE int hf_plain_json(const char *text, size_t n, struct hf_buf *out);
