/* The engine where next to nothing changed, or nothing can be packed: how many bytes a delta may have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"

enum { HEADER = 5 + 3 + 1 + 1 + 32 + 4 + 4, OVER_AND_OVER = 10 };

static const struct {
    const char *name;
    unsigned header_and_body; /* at most so many bytes */
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

/* An ID, much else, the ID in hex digits, its end. */
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

/* Zero bytes; three bytes over and over, over the border of a block; as many bytes as a hash has, one more, many more. */
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
        /* the border of a block falls among the digits */
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
    /* The small profile codes "over and over" only to find that telling the repeat is shorter: a megabyte shows that. */
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
    for (size_t i = 0; i < patch.n; i++)
        for (unsigned bit = i % 4; bit < 8; bit += step) {
            patch.p[i] ^= (char)(1u << bit);
            int r = apply(&old, &patch, &made, &err);
            ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && i == 4), "byte %zu: %d", i,
                          r);
            patch.p[i] ^= (char)(1u << bit);
        }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&made);
    hf_buf_done(&patch);
}
END_TEST

/* Bytes that cannot be packed, with pieces of old: what is made of them is what they are but for the pieces. */
START_TEST(packed_already)
{
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&near, &word, sizeof(word));
        if (i % 100 == 0)
            add(&near, old.p + draw() % (old.n - 50), 50);
    }
    struct hf_buf patch = make(&old, &near, _i);
    ck_assert_msg(patch.n < near.n - 500 * 40, "%zu bytes of %zu", patch.n, near.n);
    comes_back(&old, &near, _i, "packed");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* With less memory: another delta, of the same file. */
START_TEST(lean)
{
    const struct hf_delta_create_params params = {.lean = (unsigned)_i};
    struct hf_buf old = text(20000), near = text(150000), usual = make(&old, &near, HF_DELTA_SMALL), patch = BUF,
                  made = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &out, &err), 0);
    ck_assert_int_eq(apply(&old, &patch, &made, &err), 0);
    ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    ck_assert(patch.n != usual.n || memcmp(patch.p, usual.p, usual.n) != 0);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&usual);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

/* Bytes that cannot be packed take no more than they are, between what old has, in blocks quick and not. */
START_TEST(as_they_are)
{
    enum { PIECES = 5, PIECE = 8000 };
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 300000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    add(&near, old.p, 100);
    for (unsigned i = 0; i < PIECES; i++) {
        for (unsigned k = 0; k < PIECE / 2; k++) {
            uint16_t word = (uint16_t)(draw() >> 3);
            add(&near, &word, sizeof(word));
        }
        add(&near, old.p + i * (_i != 0 ? 100000 : 1000), _i != 0 ? 100000 : 1000);
    }
    struct hf_buf patch = make(&old, &near, HF_DELTA_SMALL);
    ck_assert_msg(patch.n < PIECES * (PIECE + 16) + 80, "%zu bytes", patch.n);
    comes_back(&old, &near, HF_DELTA_SMALL, "as they are");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* What tells itself in next to nothing, though old has pieces of it everywhere. */
START_TEST(zero_bytes)
{
    struct hf_buf old = BUF, zeros = BUF;

    for (unsigned i = 0; i < 25000; i++) {
        uint64_t word = (i * 2654435761u >> 8) % 5 < 2 ? draw() * (UINT64_C(1) << 31) + draw() : 0;
        add(&old, &word, sizeof(word));
    }
    ck_assert_int_eq(hf_buf_reserve(&zeros, 1000000), 0);
    memset(zeros.p, 0, zeros.n = 1000000);
    struct hf_buf patch = make(&old, &zeros, _i);
    ck_assert_msg(patch.n < 1000, "%zu bytes", patch.n);
    comes_back(&old, &zeros, _i, "zeros");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&zeros);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, zero_bytes, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, lean, 1, 3);
    tcase_add_loop_test(tc, as_they_are, 0, 2);
    tcase_add_loop_test(tc, packed_already, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, smallest, 0, HF_LEN(tiny));
}

HF_TEST_MAIN_CPU("delta/tiny", cases, 300)
