/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/cm/words.h"

#include <string.h>

/* Fields of AArch64 instructions: registers in bits 0 to 4 and 5 to 9, an operand from bit 10 on, the operation
 * above. */
enum { BASE_AT = 5, OPERAND_AT = 10, DONE_AT = 22, REGISTER = 31 };

void delta_words_reset(struct delta_words *w, unsigned lean)
{
    w->bits = DELTA_WORD_BITS - lean;
    w->started = false;
    for (unsigned i = 0; i < HF_LEN(w->right); i++)
        w->right[i] = DELTA_BIT_INIT;
    w->answers = 0;
    w->by = 0;
}

/* Touches memory only if there are such words. */
static void start(struct delta_words *w)
{
    memset(w->last, 0, sizeof(w->last[0]) * DELTA_WORD_LIKES << w->bits);
    w->started = true;
}

void delta_words_guess(struct delta_words *w, uint32_t old, struct delta_word_guess *ret)
{
    uint32_t on_base = old >> DONE_AT << BASE_AT | (old >> BASE_AT & REGISTER);

    if (!w->started)
        start(w);
    ret->old = old;
    ret->changed = 0;
    ret->key[0] = old;
    ret->key[1] = old >> OPERAND_AT;
    ret->key[2] = on_base;
    ret->key[3] = on_base + w->by * 0x85ebca6bu;
    for (unsigned i = 0; i < DELTA_WORD_LIKES; i++) {
        ret->from[i] = &w->last[(i << w->bits) + (ret->key[i] * 0x9e3779b1u >> (32 - w->bits))];
        ret->word[i] = old + ret->from[i]->by;
        ret->changed |= (ret->from[i]->key == ret->key[i] && ret->from[i]->by != 0 ? 1u : 0u) << i;
    }
}

/* Returns a bit for each candidate with this value. */
static unsigned candidates_for(const struct delta_word_guess *g, uint32_t word)
{
    unsigned are = 0;

    for (unsigned i = 0; i < DELTA_WORD_LIKES; i++)
        are |= (g->word[i] == word ? 1u : 0u) << i;
    return are & g->changed;
}

bool delta_words_code(struct delta_words *w, struct delta_cm *cm, const struct delta_word_guess *g, uint32_t word,
                      uint32_t *ret_word)
{
    for (unsigned left = g->changed, said; left != 0; left &= ~said) {
        uint32_t candidate = g->word[__builtin_ctz(left)];
        said = candidates_for(g, candidate);
        uint32_t *state = &w->right[said << 2 | (w->answers & 3)];
        unsigned right = delta_bit_code(cm, state, word == candidate);
        w->answers = w->answers << 1 | right;
        if (right != 0) {
            *ret_word = candidate;
            return true;
        }
    }
    return false;
}

void delta_words_note(struct delta_words *w, const struct delta_word_guess *g, uint32_t word)
{
    uint32_t by = word - g->old;

    for (unsigned i = 0; i < DELTA_WORD_LIKES; i++)
        *g->from[i] = (struct delta_word_change){g->key[i], by};
    if (by != 0)
        w->by = by;
}
