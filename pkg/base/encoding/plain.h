/* SPDX-License-Identifier: Apache-2.0 */
/* Makes texts of others safe for terminals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Returns the length of the first character (n >= 1). *ret_acts: it acts on a terminal, or is not UTF-8. */
size_t hf_plain_character(const char *text, size_t n, bool *ret_acts);

/* Replaces characters that act on a terminal by '?', except those in `kept`, such as "\n". `out` has n bytes, and may
 * be `text`. Returns the length. */
size_t hf_plain_bytes(const char *text, size_t n, const char *kept, char *out);

/* Appends JSON. Escapes (\uXXXX) stand for characters that act on a terminal, except "\n\t"; \ufffd stands for what is
 * not UTF-8. -E2BIG. */
HF_MUST_USE int hf_plain_json(const char *text, size_t n, struct hf_buf *out);
