/* delta/cm/words.h - what became of words of code that look alike. Where a structure grew or a frame moved, many instructions change by the
 * same number: those with the same operand, those that use the same register. */
#pragma once

#include "delta/cm/cm.h"

enum { DELTA_WORD_LIKES = 4, DELTA_WORD_BITS = 11 };

/* A word like it, by what they have in common, and what was added to that when it was met last. */
struct delta_word_change {
    uint32_t key, by;
};

struct delta_words {
    struct delta_word_change last[DELTA_WORD_LIKES << DELTA_WORD_BITS];
    uint32_t right[4 << DELTA_WORD_LIKES]; /* adaptive bits, by who says the same, and the last answers */
    unsigned bits;                         /* of the tables in use */
    bool started;                          /* they are cleared */
    unsigned answers;                      /* the last one in bit 0 */
    uint32_t by;                           /* the last change of a word */
};

/* What one word may have become. */
struct delta_word_guess {
    uint32_t old, word[DELTA_WORD_LIKES];
    struct delta_word_change *from[DELTA_WORD_LIKES];
    uint32_t key[DELTA_WORD_LIKES];
    unsigned changed; /* a bit per candidate: there is a word like it, and it changed */
};

/* At a block's start. `lean`: how often tables are halved. */
void delta_words_reset(struct delta_words *w, unsigned lean);

/* The candidates for the word that is `old` in old. They point into w: until the next reset, and each guess is noted before the next one. */
void delta_words_guess(struct delta_words *w, uint32_t old, struct delta_word_guess *ret);

/* Code which candidate a word is that did change, encoding: `word`. Returns false if it is none of them. */
bool delta_words_code(struct delta_words *w, struct delta_cm *cm, const struct delta_word_guess *g, uint32_t word,
                      uint32_t *ret_word);

/* The word is known. */
void delta_words_note(struct delta_words *w, const struct delta_word_guess *g, uint32_t word);
