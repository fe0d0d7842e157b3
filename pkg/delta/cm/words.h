/* SPDX-License-Identifier: Apache-2.0 */
/* Predicts changed words of AArch64 code from changes of similar words: when a structure or stack frame grows, many
 * change by the same number. */
#pragma once

#include "delta/cm/cm.h"

enum { DELTA_WORD_LIKES = 4, DELTA_WORD_BITS = 11 };

/* `by`: new minus old value of the last word with this `key`, made of parts of the old word such as operation and
 * register. */
struct delta_word_change {
    uint32_t key, by;
};

struct delta_words {
    struct delta_word_change last[DELTA_WORD_LIKES << DELTA_WORD_BITS];
    uint32_t right[4 << DELTA_WORD_LIKES];
    unsigned bits;
    bool started;
    unsigned answers;
    uint32_t by;
};

struct delta_word_guess {
    uint32_t old, word[DELTA_WORD_LIKES];
    struct delta_word_change *from[DELTA_WORD_LIKES];
    uint32_t key[DELTA_WORD_LIKES];
    unsigned changed; /* a bit for each candidate, set if the last word with its key changed */
};

void delta_words_reset(struct delta_words *w, unsigned lean);

/* *ret points into *w until the next reset. Call delta_words_note() before the next guess. */
void delta_words_guess(struct delta_words *w, uint32_t old, struct delta_word_guess *ret);

/* Codes which candidate of g->changed equals the word. Returns false if none does. Decoding ignores `word`. */
bool delta_words_code(struct delta_words *w, struct delta_cm *cm, const struct delta_word_guess *g, uint32_t word,
                      uint32_t *ret_word);

void delta_words_note(struct delta_words *w, const struct delta_word_guess *g, uint32_t word);
