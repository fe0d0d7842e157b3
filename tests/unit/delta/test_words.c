/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of similar words: which candidates exist, and encoder and decoder agree. */
#include <string.h>

#include "delta/cm/words.h"
#include "support/check_main.h"
#include "support/delta_io.h"

enum { WORDS = 4000, BY_OPERAND = 1 << 10 };

/* ldr x`to`, [x`base`, 8 * operand] */
static uint32_t load(unsigned to, unsigned base, unsigned operand)
{
    return 0xf9400000u | operand << 10 | base << 5 | to;
}

static struct delta_word_guess guess(struct delta_words *w, uint32_t old)
{
    struct delta_word_guess g;

    delta_words_guess(w, old, &g);
    return g;
}

static void become(struct delta_words *w, uint32_t old, uint32_t word)
{
    const struct delta_word_guess g = guess(w, old);

    delta_words_note(w, &g, word);
}

START_TEST(those_alike_are_candidates)
{
    static struct delta_words w;
    struct delta_word_guess g;

    delta_words_reset(&w, (unsigned)_i);
    ck_assert_uint_eq(guess(&w, 0).changed, 0);
    ck_assert_uint_eq(guess(&w, load(1, 2, 11)).changed, 0);
    become(&w, load(1, 2, 11), load(1, 2, 12));

    g = guess(&w, load(1, 2, 11)); /* the same word, but after another change */
    ck_assert_uint_eq(g.changed, 1 | 2 | 4);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(g.word[i], load(1, 2, 12));
    g = guess(&w, load(3, 4, 11));
    ck_assert_uint_eq(g.changed, 2);
    ck_assert_uint_eq(g.word[1], load(3, 4, 12));
    g = guess(&w, load(5, 2, 40));
    ck_assert_uint_eq(g.changed, 4);
    ck_assert_uint_eq(g.word[2], load(5, 2, 41));
    ck_assert_uint_eq(guess(&w, load(5, 6, 40)).changed, 0);

    become(&w, load(5, 2, 40), load(5, 2, 41));
    ck_assert_uint_eq(guess(&w, load(7, 2, 9)).changed, 4 | 8);
    become(&w, load(7, 2, 9), load(7, 2, 9)); /* it did not change, so no other word with that base will */
    ck_assert_uint_eq(guess(&w, load(7, 2, 30)).changed, 0);

    delta_words_reset(&w, (unsigned)_i);
    ck_assert_uint_eq(guess(&w, load(1, 2, 11)).changed, 0);
}
END_TEST

struct pairs {
    uint32_t old[WORDS], now[WORDS];
};

/* Most are similar and change alike; some change at random. */
static void make(struct pairs *p)
{
    uint32_t x = 1;

    for (unsigned i = 0; i < WORDS; i++) {
        x = x * 1664525 + 1013904223;
        p->old[i] = load(x >> 28, x >> 24 & 3, x >> 16 & 31);
        p->now[i] = p->old[i] + ((x >> 24 & 3) == 1 ? BY_OPERAND : (x >> 24 & 3) == 2 ? 3 * BY_OPERAND : 0);
        if (i % 50 == 0)
            p->now[i] = x;
    }
}

/* In both directions; decoding fills now[]. Returns the number of candidates. */
static unsigned code(struct delta_words *w, struct delta_cm *cm, struct pairs *p)
{
    unsigned right = 0;

    for (unsigned i = 0; i < WORDS; i++) {
        const struct delta_word_guess g = guess(w, p->old[i]);
        uint32_t word = p->now[i];
        if (delta_words_code(w, cm, &g, word, &word))
            right++;
        else
            for (unsigned k = 0; k < 32; k += 8)
                word = (word & ~(255u << k)) | delta_cm_code_plain(cm, word >> k & 255) << k;
        p->now[i] = word;
        delta_words_note(w, &g, word);
    }
    return right;
}

START_TEST(words_come_back)
{
    static struct delta_words w;
    static struct pairs made, back;
    static struct delta_input input;
    _cleanup_(hf_buf_done) struct hf_buf part = HF_BUF_INIT(1 << 16);
    struct hf_err err = HF_ERR_INIT;
    struct delta_cm cm;

    make(&made);
    back = made;
    delta_cm_start_encoding(&cm, &part);
    delta_words_reset(&w, (unsigned)_i);
    unsigned right = code(&w, &cm, &back);
    ck_assert_uint_gt(right, WORDS / 3);
    ck_assert_int_eq(delta_cm_finish(&cm), 0);
    ck_assert_mem_eq(&back, &made, sizeof(made));

    struct delta_io coded = delta_io_of(&part);
    const struct hf_delta_in in = delta_io_in(&coded);
    delta_input_init(&input, &in);
    input.left = part.n;
    memset(back.now, 0, sizeof(back.now));
    delta_cm_start_decoding(&cm, &input, part.n, &err);
    delta_words_reset(&w, (unsigned)_i);
    ck_assert_uint_eq(code(&w, &cm, &back), right);
    ck_assert_int_eq(delta_cm_finish(&cm), 0);
    ck_assert_mem_eq(&back, &made, sizeof(made));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, those_alike_are_candidates, 0, 3);
    tcase_add_loop_test(tc, words_come_back, 0, 3);
}

HF_TEST_MAIN("delta/words", cases)
