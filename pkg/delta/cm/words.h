/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/words.h - predict changed words of code from changes of similar words. When a structure or a stack frame
 * grows, many instructions with the same operand or the same register change by the same number. Threads: a struct
 * delta_words belongs to one thread at a time. */
#pragma once

#include "delta/cm/cm.h"

enum { DELTA_WORD_LIKES = 4, DELTA_WORD_BITS = 11 };

/* The latest change (new value - old value) among the words with one key. The key stands for a part of the old word,
 * such as the operation and a register. */
struct delta_word_change {
    uint32_t key, by;
};

struct delta_words {
    /* one table of 2^bits entries for each candidate, indexed by the hash of the candidate's key */
    struct delta_word_change last[DELTA_WORD_LIKES << DELTA_WORD_BITS];
    /* Adaptive bits for the answers to the question whether a word has a certain value. The two least significant bits
     * of the index are the latest two answers. Each higher bit of the index stands for one candidate, and is 1 if this
     * candidate has the value that the question is about. */
    uint32_t right[4 << DELTA_WORD_LIKES];
    unsigned bits; /* log2 of the number of entries of each table */
    bool started;  /* true if the tables have been cleared */
    /* latest answers, one bit each; 1 means that the candidate was right; bit 0 is the latest answer */
    unsigned answers;
    uint32_t by; /* latest change of any word */
};

/* The candidates for the new value of one word. */
struct delta_word_guess {
    uint32_t old, word[DELTA_WORD_LIKES];
    struct delta_word_change *from[DELTA_WORD_LIKES];
    uint32_t key[DELTA_WORD_LIKES];
    /* one bit for each candidate; 1 means that the latest word with the candidate's key is in the table and that this
     * word changed */
    unsigned changed;
};

/* Prepares for the next block. Each table has its full size divided by 2^lean. */
void delta_words_reset(struct delta_words *w, unsigned lean);

/* Finds the candidates for the new value of a word whose old value is `old`. The candidates point into *w and are valid
 * until the next reset. After each delta_words_guess(), call delta_words_note() before the next delta_words_guess(). */
void delta_words_guess(struct delta_words *w, uint32_t old, struct delta_word_guess *ret);

/* Codes which candidate a changed word equals, and sets *ret_word. When encoding, `word` is the true value. Returns
 * false if the word equals no candidate. */
bool delta_words_code(struct delta_words *w, struct delta_cm *cm, const struct delta_word_guess *g, uint32_t word,
                      uint32_t *ret_word);

/* Records `word` as the new value of the word for which delta_words_guess() filled *g. */
void delta_words_note(struct delta_words *w, const struct delta_word_guess *g, uint32_t word);
