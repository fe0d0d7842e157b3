/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts texts for people behind a word, with "...". Pure. */
#pragma once

#include <stddef.h>

/* `text` was longer. A word of more than a quarter of the room is cut, never within a character. */
void hf_cut_end(char *text, size_t n);

/* Cut if it has n bytes or more. */
const char *hf_cut(const char *text, char *out, size_t n);

/* In place of "%.<max>s". Valid until the block ends. */
#define HF_CUT(max, text) hf_cut((text), (char[(max) + 1]){0}, (max) + 1)
