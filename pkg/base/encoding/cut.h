/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/cut.h - cuts texts for people: behind a whole word, and with "..." to show it. Pure; any thread. */
#pragma once

#include <stddef.h>

/* Ends a text that fills text[n] and was longer: behind a whole word, with "...". A word of more than a quarter of the
 * room is cut where the room ends, but never within a character. */
void hf_cut_end(char *text, size_t n);

/* Copies `text` into out[n], cut if it has n bytes or more. Returns `out`. */
const char *hf_cut(const char *text, char *out, size_t n);

/* `text` with at most `max` bytes, for a place in a message where "%.<max>s" would end within a word. Valid until the
 * block ends. */
#define HF_CUT(max, text) hf_cut((text), (char[(max) + 1]){0}, (max) + 1)
