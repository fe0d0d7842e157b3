/* The coder of single bytes: what one side codes the other makes, its bits cost little where contexts tell them, and learning
 * counts like coding. */
#include <stdlib.h>
#include <string.h>

#include "delta/bytes.h"
#include "support/check_main.h"

enum { BYTES = 20000 };

struct source {
    const unsigned char *p;
    size_t n, at;
};

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    struct source *s = ctx;

    n = HF_MIN(n, s->n - s->at);
    memcpy(bytes, s->p + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Period 7 with one byte in 16 wrong. */
static void fill(unsigned char *bytes, unsigned wrong_one_in)
{
    uint32_t x = 1;

    for (unsigned i = 0; i < BYTES; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] =
            (unsigned char)(x >> 8) % wrong_one_in == 0 ? (unsigned char)(x >> 24) : (unsigned char)("holdfas"[i % 7]);
    }
}

static struct delta_byte_context context_at(const unsigned char *made, unsigned i)
{
    struct delta_byte_context c = {.kind = i % BYTES_CLASSES, .steer = i % BYTES_STEERS, .near = i % 256};
    uint32_t before = i < 4 ? 0 : made[i - 1] | (uint32_t)made[i - 2] << 8 | (uint32_t)made[i - 3] << 16;

    c.scene = i % BYTES_SCENES;
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        c.table[t] = delta_hash(t, before & (0xffffffu >> (t % 3 * 8)), 0);
    for (unsigned r = 0; r < BYTES_RANKS; r++)
        c.rank[r] = delta_hash(99 + r, before, 0);
    c.guess[1] = (uint16_t)(i < 7 ? 0 : made[i - 7] + 1);
    c.trust[1] = 3;
    return c;
}

static void code_all(struct delta_bytes *b, struct delta_cm *cm, const unsigned char *truth, unsigned char *made)
{
    for (unsigned i = 0; i < BYTES; i++) {
        struct delta_byte_context c = context_at(truth != NULL ? truth : made, i);
        made[i] = (unsigned char)delta_bytes_code(b, cm, &c, truth != NULL ? truth[i] : 0);
    }
}

START_TEST(both_ways)
{
    static const struct {
        unsigned wrong_one_in;
        size_t most;
    } cases[] = {{1, BYTES + BYTES / 20}, {16, BYTES / 4}, {255, BYTES / 32}};
    struct delta_bytes *b = malloc(sizeof(*b));
    struct delta_cm *cm = malloc(sizeof(*cm));
    struct delta_input *input = malloc(sizeof(*input));
    unsigned char *bytes = malloc(BYTES), *made = malloc(BYTES);
    struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
    struct hf_err err = HF_ERR_INIT;

    delta_bytes_init(b, BYTES);
    fill(bytes, cases[_i].wrong_one_in);
    delta_bytes_reset(b);
    delta_cm_start_encoding(cm, &part);
    code_all(b, cm, bytes, made);
    ck_assert_int_eq(delta_cm_finish(cm), 0);
    ck_assert_mem_eq(made, bytes, BYTES);
    ck_assert_uint_le(part.n, cases[_i].most);

    struct source source = {(const unsigned char *)part.p, part.n, 0};
    const struct hf_delta_in in = {&source, get};
    delta_input_init(input, &in);
    input->left = part.n;
    memset(made, 0, BYTES);
    delta_bytes_reset(b);
    delta_cm_start_decoding(cm, input, part.n, &err);
    code_all(b, cm, NULL, made);
    ck_assert_int_eq(delta_cm_finish(cm), 0);
    ck_assert_mem_eq(made, bytes, BYTES);
    hf_buf_done(&part);
    free(b);
    free(cm);
    free(input);
    free(bytes);
    free(made);
}
END_TEST

/* What was learned before is cheaper than what was not. */
START_TEST(learned)
{
    struct delta_bytes *b = malloc(sizeof(*b));
    struct delta_cm *cm = malloc(sizeof(*cm));
    unsigned char *bytes = malloc(BYTES), *made = malloc(BYTES);
    size_t n[2];

    delta_bytes_init(b, BYTES);
    fill(bytes, 2);
    for (unsigned learn = 0; learn < 2; learn++) {
        struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
        delta_bytes_reset(b);
        for (unsigned i = 0; learn != 0 && i < BYTES; i++) {
            struct delta_byte_context c = context_at(bytes, i);
            delta_bytes_learn(b, &c, bytes[i]);
        }
        delta_cm_start_encoding(cm, &part);
        code_all(b, cm, bytes, made);
        ck_assert_int_eq(delta_cm_finish(cm), 0);
        n[learn] = part.n;
        hf_buf_done(&part);
    }
    ck_assert_uint_lt(n[1], n[0] * 9 / 10);
    free(b);
    free(cm);
    free(bytes);
    free(made);
}
END_TEST

/* Every state leads to one that has seen the bit; the counts stay small. */
START_TEST(states)
{
    struct delta_bytes *b = malloc(sizeof(*b));

    delta_bytes_init(b, BYTES);
    for (unsigned i = 0; i < 256; i++)
        for (unsigned bit = 0; bit < 2 && (i == 0 || b->seen[i][0] + b->seen[i][1] > 0); bit++) {
            unsigned next = b->next[i][bit];
            ck_assert_uint_ne(next, 0);
            ck_assert_uint_ge(b->seen[next][bit], 1);
            ck_assert_uint_le(b->seen[next][0] + b->seen[next][1], 30);
        }
    free(b);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, both_ways, 0, 3);
    tcase_add_test(tc, learned);
    tcase_add_test(tc, states);
}

HF_TEST_MAIN("delta/bytes", cases)
