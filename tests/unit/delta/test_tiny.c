/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hardly changed: upper bounds of the delta's size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"
#include "support/walk.h"

enum { HEADER = 5 + 3 + 1 + 1 + 32 + 4 + 4, OVER_AND_OVER = 10 };

static const struct {
    const char *name;
    unsigned header_and_body; /* at most this many bytes */
} tiny[] = {
    {"the same", HEADER - 8},
    {"one byte", HEADER + 5},
    {"appended", HEADER + 6 + 100},
    {"the front is gone", HEADER + 6},
    {"empty new", 11},
    {"empty old", HEADER - 4 + 2 + 100},
    {"built anew", HEADER + 50},
    {"a digit by chance", HEADER + 50},
    {"two blocks", HEADER + 52},
    {"zero bytes", HEADER + 8},
    {"over and over, between blocks", HEADER + 30},
    {"a few bytes", 15 + 32},
    {"one more than that", HEADER + 2 + 35},
    {"nothing to be coded", HEADER + 6 + 8192},
};

static void put_hex(struct hf_buf *b, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < 2 * n; i++)
        add(b, &digits[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15], 1);
}

/* An ID, other bytes, the ID in hex digits, the end. */
static struct hf_buf built(const unsigned char *id, size_t between)
{
    struct hf_buf b = BUF, much;

    draw_seed = 5;
    much = text(between);
    add(&b, "head of the file", 16);
    add(&b, id, 20);
    add(&b, much.p, much.n);
    put_hex(&b, id + 1, 19);
    add(&b, ".debug and the rest", 19);
    hf_buf_done(&much);
    return b;
}

/* Zero bytes; three bytes repeated across the border of a block; files of a hash's size, one byte more, and many
 * more. */
static void make_tinier(int i, struct hf_buf *old, struct hf_buf *near)
{
    static const unsigned char zero[4096], three[] = "abc";

    *near = (struct hf_buf)BUF;
    if (i == 10)
        add(near, old->p, 50000);
    for (unsigned k = 0; i == 9 && k < 25; k++)
        add(near, zero, sizeof(zero));
    for (unsigned k = 0; i == 10 && k < (4 << 20) / 3; k++)
        add(near, three, 3);
    if (i == 10)
        add(near, old->p + 50000, 50000);
    for (unsigned k = 0; i > 10 && k < (i == 13 ? 8192 : 32U + (i == 12)); k++)
        add(near, &(unsigned char){(unsigned char)draw()}, 1);
}

static void make_tiny(int i, struct hf_buf *old, struct hf_buf *near)
{
    unsigned char id[2][20];

    *old = text(100000);
    for (unsigned k = 0; k < 40; k++)
        id[k / 20][k % 20] = (unsigned char)(draw() >> 3);
    if (i == 7)
        id[1][1] = (unsigned char)((id[0][1] & 0xf0) | (id[1][1] & 15));
    if (i >= 9) {
        make_tinier(i, old, near);
        return;
    }
    if (i >= 6) {
        hf_buf_done(old);
        /* a block's border among the digits */
        size_t between = i == 8 ? (4 << 20) - 16 - 20 - 13 : 60000;
        *old = built(id[0], between);
        *near = built(id[1], between);
        return;
    }
    *near = (struct hf_buf)BUF;
    if (i == 3)
        add(near, old->p + 40000, old->n - 40000);
    else if (i != 4 && i != 5)
        add(near, old->p, old->n);
    if (i == 1)
        near->p[70000] ^= 1;
    for (unsigned k = 0; k < 25 && (i == 2 || i == 5); k++) {
        uint32_t word = draw() << 8 ^ draw();
        add(near, &word, sizeof(word));
    }
    if (i == 5)
        old->n = 0;
}

START_TEST(smallest)
{
    struct hf_buf old, near, made = BUF, patch;
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;

    make_tiny(_i, &old, &near);
    patch = make(&old, &near, HF_DELTA_FAST);
    ck_assert_msg(patch.n <= tiny[_i].header_and_body, "%s: %zu bytes", tiny[_i].name, patch.n);
    /* The small profile tries the repetition and finds the repeat of the old file shorter; a megabyte shows that. */
    struct hf_buf part = near;
    part.n = _i == OVER_AND_OVER ? 1 << 20 : near.n;
    comes_back(&old, &part, HF_DELTA_SMALL, tiny[_i].name);
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);

    params.checkpoint = keep;
    params.checkpoint_ctx = &kept;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        in.at = 0;
        made.n = kept.points[i].new_offset;
        params.resume = &kept.points[i];
        ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
        ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    }
    ck_assert_uint_eq(kept.n, near.n > 4 << 20);
    unsigned step = near.n > (4 << 20) || patch.n > 4096 ? 8 : 1; /* these take longer */
    for (uint64_t at = hf_walk_next(tiny[_i].name, 0); at <= 8 * patch.n / step; at = hf_walk_next(tiny[_i].name, at)) {
        size_t i = (at - 1) * step / 8;
        unsigned bit = step == 8 ? i % 8 : (at - 1) % 8;
        patch.p[i] ^= (char)(1u << bit);
        int r = apply(&old, &patch, &made, &err);
        ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && i == 4), "byte %zu: %d", i, r);
        patch.p[i] ^= (char)(1u << bit);
    }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&made);
    hf_buf_done(&patch);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, smallest, 0, HF_LEN(tiny));
}

HF_TEST_MAIN_CPU("delta/tiny", cases, 300)
