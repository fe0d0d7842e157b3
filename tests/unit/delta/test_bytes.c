/* SPDX-License-Identifier: Apache-2.0 */
/* The byte coder: the decoder returns what the encoder took, predictable bits cost little, and learning without
 * coding has the same effect. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "delta/cm/bytes.h"
#include "support/check_main.h"
#include "support/delta_io.h"

enum { BYTES = 20000 };

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
    struct delta_byte_context c = {.kind = i % BYTES_CLASSES, .near = i % 256};
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

/* Codes and decodes bytes of which one in `wrong_one_in` is wrong; returns the coded size. */
static size_t there_and_back(unsigned wrong_one_in, bool quick)
{
    struct delta_bytes *b = aligned_alloc(_Alignof(struct delta_bytes), sizeof(*b));
    struct delta_cm *cm = malloc(sizeof(*cm));
    struct delta_input *input = malloc(sizeof(*input));
    unsigned char *bytes = malloc(BYTES), *made = malloc(BYTES);
    struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(delta_bytes_open(b, BYTES, 0), 0);
    fill(bytes, wrong_one_in);
    delta_bytes_reset(b, quick);
    delta_cm_start_encoding(cm, &part);
    code_all(b, cm, bytes, made);
    ck_assert_int_eq(delta_cm_finish(cm), 0);
    ck_assert_mem_eq(made, bytes, BYTES);

    size_t n = part.n;
    struct delta_io coded = delta_io_of(&part);
    const struct hf_delta_in in = delta_io_in(&coded);
    delta_input_init(input, &in);
    input->left = part.n;
    memset(made, 0, BYTES);
    delta_bytes_reset(b, quick);
    delta_cm_start_decoding(cm, input, part.n, &err);
    code_all(b, cm, NULL, made);
    ck_assert_int_eq(delta_cm_finish(cm), 0);
    ck_assert_mem_eq(made, bytes, BYTES);
    hf_buf_done(&part);
    delta_bytes_done(b);
    free(b);
    free(cm);
    free(input);
    free(bytes);
    free(made);
    return n;
}

START_TEST(both_ways)
{
    static const struct {
        unsigned wrong_one_in;
        size_t most;
    } cases[] = {{1, BYTES + BYTES / 20}, {16, BYTES / 4}, {255, BYTES / 32}};

    ck_assert_uint_le(there_and_back(cases[_i].wrong_one_in, false), cases[_i].most);
}
END_TEST

/* A confident source that is nearly always right: its misses decode correctly, and its hits cost next to nothing. */
START_TEST(sure)
{
    size_t by_bits = there_and_back(64, false), asked = there_and_back(64, true);

    ck_assert_uint_ne(by_bits, asked);
    ck_assert_uint_lt(asked, by_bits + by_bits / 8);
}
END_TEST

/* Learned bytes cost less than unlearned ones, in quick blocks too. */
START_TEST(learned)
{
    struct delta_bytes *b = aligned_alloc(_Alignof(struct delta_bytes), sizeof(*b));
    struct delta_cm *cm = malloc(sizeof(*cm));
    unsigned char *bytes = malloc(BYTES), *made = malloc(BYTES);
    size_t n[2];

    ck_assert_int_eq(delta_bytes_open(b, BYTES, 0), 0);
    fill(bytes, 2);
    for (unsigned learn = 0; learn < 2; learn++) {
        struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
        delta_bytes_reset(b, _i != 0);
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
    delta_bytes_done(b);
    free(b);
    free(cm);
    free(bytes);
    free(made);
}
END_TEST

/* Every reachable state leads to one that has seen a bit; a repeated bit grows more certain, up to a state that
 * stays. */
START_TEST(states)
{
    struct delta_bytes *b = aligned_alloc(_Alignof(struct delta_bytes), sizeof(*b));
    bool reached[256] = {true};

    ck_assert_int_eq(delta_bytes_open(b, BYTES, 0), 0);
    for (unsigned round = 0; round < 256; round++)
        for (unsigned i = 0; i < 256; i++)
            for (unsigned bit = 0; bit < 2 && reached[i]; bit++) {
                ck_assert_uint_ne(b->next[i][bit], 0);
                reached[b->next[i][bit]] = true;
            }
    for (unsigned bit = 0; bit < 2; bit++) {
        unsigned state = 0, n = 0;
        for (; b->next[state][bit] != state; state = b->next[state][bit], n++) {
            int before = b->state_logit[state], after = b->state_logit[b->next[state][bit]];
            ck_assert(bit != 0 ? after > before : after < before);
        }
        ck_assert_uint_eq(n, 30);
    }
    ck_assert_int_le(abs(b->state_logit[0]), 16);
    delta_bytes_done(b);
    free(b);
}
END_TEST

/* By definition: ln(1 + e^x), and ln(1 - r) beside ln(r) for falling rates r. */
START_TEST(rises)
{
    struct delta_bytes *b = aligned_alloc(_Alignof(struct delta_bytes), sizeof(*b));

    ck_assert_int_eq(delta_bytes_open(b, BYTES, 0), 0);
    for (int x = -120; x <= 120; x++)
        ck_assert_double_eq_tol(b->rise[x + 256], 4096 * log1p(exp(x / 16.0)), 2 + 0.04 * b->rise[x + 256]);
    for (unsigned n = 0; n < 256; n++) {
        double r = exp((b->rate[n] - 256) / 16.0);
        ck_assert_double_eq_tol(b->more[n], -4096 * log1p(-r), 4 + 0.03 * b->more[n]);
        ck_assert_double_ge(r, 0.97 / (n + 2));
        ck_assert(n == 0 || b->rate[n] <= b->rate[n - 1]);
    }
    delta_bytes_done(b);
    free(b);
}
END_TEST

/* A few values by definition. */
START_TEST(lanes)
{
    static const int16_t numbers[] = {0, 1, -1, 2, -2, 255, -256, 2047, -2047, 4095, 16383, -16384, 32767, -32768};
    uint32_t x = 7;

    for (unsigned round = 0; round < 2000; round++) {
        delta_lanes a, b, c;
        int32_t dot = 0;
        int16_t error = numbers[round % HF_LEN(numbers)];
        for (unsigned i = 0; i < DELTA_LANES; i++) {
            x = x * 1664525 + 1013904223;
            a[i] = numbers[(x >> 24) % HF_LEN(numbers)];
            b[i] = (int16_t)(numbers[(x >> 16) % HF_LEN(numbers)] / 2);
            c[i] = (int16_t)(b[i] / 8);
            dot += c[i] * a[i];
        }
        delta_lanes sum = delta_lanes_add(a, b), scaled = delta_lanes_scaled(a, b), step = delta_lanes_step(c, error);
        unsigned negative = delta_lanes_negative(a);
        const delta_lanes zip[2] = {delta_lanes_zip_low(a, b), delta_lanes_zip_high(a, b)};
        const delta_lanes half[2] = {delta_lanes_low(a, b), delta_lanes_high(a, b)};
        ck_assert_int_eq(delta_lanes_dot(c, a), dot);
        for (unsigned i = 0; i < DELTA_LANES; i++) {
            ck_assert_int_eq(zip[i / 4][i % 4 * 2], a[i]);
            ck_assert_int_eq(zip[i / 4][i % 4 * 2 + 1], b[i]);
            ck_assert_int_eq(half[i / 4][i % 4], a[i]);
            ck_assert_int_eq(half[i / 4][i % 4 + 4], b[i]);
            int32_t exact = (int32_t)a[i] + b[i];
            ck_assert_uint_eq(negative >> i & 1, a[i] < 0);
            ck_assert_int_eq(sum[i], exact > INT16_MAX ? INT16_MAX : exact < INT16_MIN ? INT16_MIN : exact);
            ck_assert_int_eq(scaled[i], a[i] * b[i] >> 16);
            ck_assert_int_eq(step[i], ((2 * c[i] * error >> 16) + 1) >> 1);
        }
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, both_ways, 0, 3);
    tcase_add_loop_test(tc, learned, 0, 2);
    tcase_add_test(tc, sure);
    tcase_add_test(tc, states);
    tcase_add_test(tc, rises);
    tcase_add_test(tc, lanes);
}

HF_TEST_MAIN("delta/bytes", cases)
