/* SPDX-License-Identifier: Apache-2.0 */
/* Makes texts of others safe for terminals. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Bytes of the first character (n >= 1). *ret_acts: a terminal acts on it, or it is not UTF-8. */
size_t hf_plain_character(const char *text, size_t n, bool *ret_acts);

/* Replaces these by '?', except characters in `kept`, such as "\n". `out` has n bytes and may be `text`. Returns the
 * new length. */
size_t hf_plain_bytes(const char *text, size_t n, const char *kept, char *out);

/* Escapes in JSON text (\uXXXX, \ufffd for a byte that is not UTF-8), which keeps its value. -E2BIG. */
HF_MUST_USE int hf_plain_json(const char *text, size_t n, struct hf_buf *out);
