/* SPDX-License-Identifier: Apache-2.0 */
/* Makes text plain: '?' replaces line ends and what a terminal acts on (base/encoding/plain.h). */
#pragma once

#include <stdio.h>

#include "base/macros.h"

/* `out` has n bytes and may be `text`. Returns the length. */
size_t hf_cli_plain_bytes(const char *text, size_t n, char *out);

void hf_cli_plain_text(char *text);

void hf_cli_print_line(FILE *to, const char *format, ...) HF_PRINTF(2, 3);
