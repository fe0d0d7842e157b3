/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts texts behind a word, with "...". */
#pragma once

#include <stddef.h>

/* `text` fills n bytes: ends it with "...". Cuts within a word only if that takes more than a quarter of n, never
 * within a character. */
void hf_cut_end(char *text, size_t n);

/* Cut if it has n bytes or more. */
const char *hf_cut(const char *text, char *out, size_t n);

/* In place of "%.<max>s"; valid until the block ends. */
#define HF_CUT(max, text) hf_cut((text), (char[(max) + 1]){0}, (max) + 1)
