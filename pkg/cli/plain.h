/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces by '?' what a terminal acts on (base/encoding/plain.h), also line ends. Without jansson, for
 * holdfast-delta. */
#pragma once

#include <stdio.h>

#include "base/macros.h"

/* `out`: n bytes, may be `text`. Returns the length. */
size_t hf_cli_plain_bytes(const char *text, size_t n, char *out);

/* Changes `text` in place. */
void hf_cli_plain_text(char *text);

/* Plain, with a line end. */
void hf_cli_print_line(FILE *to, const char *format, ...) HF_PRINTF(2, 3);
