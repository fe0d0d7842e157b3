/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts texts after a word, and adds "...". */
#pragma once

#include <stddef.h>

/* Ends a text of n bytes with "...". Cuts within a word only if a cut before the word would cost more than a quarter of
 * n, and never within a character. */
void hf_cut_end(char *text, size_t n);

const char *hf_cut(const char *text, char *out, size_t n);

/* Cuts a text, for use in place of "%.<max>s"; valid until the block ends. */
#define HF_CUT(max, text) hf_cut((text), (char[(max) + 1]){0}, (max) + 1)
