/* SPDX-License-Identifier: Apache-2.0 */
/* cli/plain.h - makes texts safe for a terminal.
 *
 * These functions replace by '?' what base/encoding/plain.h names, also line ends. The thin program links this file,
 * so it must not need jansson. Main thread only. */
#pragma once

#include <stdio.h>

#include "base/macros.h"

/* Copies n bytes of `text` to `out`, which has at least n bytes and may be `text` itself, with the replacements.
 * Returns the new length, which is not larger. */
size_t hf_cli_plain_bytes(const char *text, size_t n, char *out);

/* The same for one C string, which changes in place. */
void hf_cli_plain_text(char *text);

/* Formats one line, and prints it with the replacements and a line end. */
void hf_cli_print_line(FILE *to, const char *format, ...) HF_PRINTF(2, 3);
