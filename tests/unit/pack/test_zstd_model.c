/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions of a new frame, coded beside an old one: the same frame comes back, for few bytes where the content is the
 * same; and coded decisions from outside end in an error. */
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "delta/match/match.h"
#include "pack/zstd/model.h"
#include "support/check_main.h"
#include "support/makers/packs.h"

enum { TEXT_BYTES = 200000 };
#define BUF HF_BUF_INIT(16 << 20)

struct frame {
    struct hf_buf content, packed;
};

static void frame_done(struct frame *frame)
{
    hf_buf_done(&frame->content);
    hf_buf_done(&frame->packed);
}

static void make_frame(struct frame *frame, unsigned change, int level)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    *frame = (struct frame){BUF, BUF};
    packs_text(&frame->content, TEXT_BYTES, 1, change);
    for (unsigned i = 0; i < 300; i++) /* blocks of one byte, and of raw bytes */
        ck_assert_int_eq(hf_buf_add(&frame->content, &(char){(char)(i * i * 2654435761u >> 13)}, 1), 0);
    ck_assert_int_eq(hf_buf_reserve(&frame->packed, ZSTD_compressBound(frame->content.n)), 0);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    frame->packed.n =
        ZSTD_compress2(zstd, frame->packed.p, ZSTD_compressBound(frame->content.n), frame->content.p, frame->content.n);
    ck_assert(!ZSTD_isError(frame->packed.n));
    (void)ZSTD_freeCCtx(zstd);
}

static const unsigned char *bytes_of(const struct hf_buf *buf)
{
    return (const unsigned char *)buf->p;
}

/* Reads the next block at *at. */
static void next_block(const struct frame *frame, struct pack_zframe_state *state, size_t *at,
                       struct pack_zframe_block *block)
{
    const unsigned char *p = bytes_of(&frame->packed) + *at;
    size_t n;

    ck_assert(pack_zframe_block_head(p, block, &n));
    ck_assert(pack_zframe_block_read(state, p + ZFRAME_BLOCK_HEAD, n, block));
    *at += ZFRAME_BLOCK_HEAD + n;
}

static struct pack_zframe_block block;

static void read_old(const struct frame *frame, struct hf_buf *stored, struct pack_zold *old)
{
    const struct pack_store store = pack_store_buf(stored);
    struct pack_zframe_state *state = calloc(1, sizeof(*state));
    struct pack_zframe_head head;
    size_t at = pack_zframe_head_read(bytes_of(&frame->packed), frame->packed.n, &head);

    ck_assert_int_eq(pack_zold_open(old, &store), 0);
    pack_zold_frame(old);
    block.last = false;
    while (!block.last) {
        next_block(frame, state, &at, &block);
        ck_assert_int_eq(pack_zold_add(old, &block, NULL), 0);
    }
    ck_assert_uint_eq(old->content_n, frame->content.n);
    free(state);
}

static struct pack_zcontent content_at(const struct frame *frame, size_t at)
{
    return (struct pack_zcontent){bytes_of(&frame->content) + at, at, frame->content.n - at, at};
}

static void encode_as(bool imitated, const struct frame *frame, struct pack_zold *old,
                      const struct delta_copies *copies, struct hf_buf *out)
{
    struct pack_zmodel *model = pack_zmodel_new(old, copies);
    struct pack_zframe_state *state = calloc(1, sizeof(*state));
    struct pack_zframe_head head;
    struct delta_cm cm;
    size_t at = pack_zframe_head_read(bytes_of(&frame->packed), frame->packed.n, &head), done = 0;

    delta_cm_start_encoding(&cm, out);
    ck_assert_int_eq(pack_zmodel_frame(model, &cm, head.window_n, imitated), 0);
    block.last = false;
    while (!block.last) {
        const struct pack_zcontent content = content_at(frame, done);
        next_block(frame, state, &at, &block);
        ck_assert_int_eq(pack_zmodel_size(model, &cm, frame->content.n - done, &block), 0);
        ck_assert_int_eq(pack_zmodel_block(model, &cm, &content, &block), 0);
        done += block.content_n;
    }
    ck_assert_int_eq(delta_cm_finish(&cm), 0);
    free(state);
    pack_zmodel_free(model);
}

static void encode(const struct frame *frame, struct pack_zold *old, const struct delta_copies *copies,
                   struct hf_buf *out)
{
    encode_as(false, frame, old, copies, out);
}

/* Appends what the decisions make of the content, from the first block on. */
static int decode(const struct frame *frame, struct pack_zold *old, const struct delta_copies *copies,
                  const unsigned char *coded, size_t coded_n, struct hf_buf *made)
{
    static unsigned char work[ZFRAME_BLOCK_MAX];
    struct pack_zmodel *model = pack_zmodel_new(old, copies);
    struct pack_zframe_state *state = calloc(1, sizeof(*state));
    struct hf_err err = HF_ERR_INIT;
    struct delta_cm cm;
    struct pack_zframe_head head;
    size_t done = 0;

    ck_assert_uint_gt(pack_zframe_head_read(bytes_of(&frame->packed), frame->packed.n, &head), 0);
    delta_cm_start_decoding_bytes(&cm, coded, coded_n, &err);
    int r = pack_zmodel_frame(model, &cm, head.window_n, false);
    block.last = false;
    while (r == 0 && !block.last) {
        const struct pack_zcontent content = content_at(frame, done);
        r = pack_zmodel_size(model, &cm, frame->content.n - done, &block);
        if (r == 0)
            r = pack_zmodel_block(model, &cm, &content, &block);
        if (r == 0)
            r = pack_zframe_block_write(state, &block, content.p, work, made);
        done += r == 0 ? block.content_n : 0;
    }
    if (r == 0)
        r = delta_cm_finish(&cm);
    free(state);
    pack_zmodel_free(model);
    return r;
}

static void find_copies(const struct frame *old, const struct frame *new_frame, struct delta_copies *copies)
{
    struct delta_matcher matcher;
    struct delta_copies *lists[1] = {copies};
    struct hf_err err = HF_ERR_INIT;
    const struct delta_match_params params = {.min_gain = (const unsigned[]){24}, .variants_n = 1, .workers = 1};

    ck_assert_int_eq(delta_matcher_open(&matcher, bytes_of(&old->content), old->content.n,
                                        bytes_of(&new_frame->content), new_frame->content.n, true, &err),
                     0);
    ck_assert_int_eq(delta_match(&matcher, &params, lists, &err), 0);
    delta_matcher_done(&matcher);
}

static void check_same(const struct frame *frame, const struct hf_buf *made)
{
    struct pack_zframe_head head;
    size_t at = pack_zframe_head_read(bytes_of(&frame->packed), frame->packed.n, &head);

    ck_assert_uint_eq(made->n, frame->packed.n - at);
    ck_assert_mem_eq(made->p, frame->packed.p + at, made->n);
}

static const int levels[] = {-5, 1, 5, 8, 16, 19};

START_TEST(beside_old)
{
    _cleanup_(frame_done) struct frame old, new_frame;
    _cleanup_(hf_buf_done) struct hf_buf stored = BUF, coded = BUF, made = BUF, alone = BUF, made_alone = BUF;
    _cleanup_(pack_zold_done) struct pack_zold items = {.n = 0}, no_items = {.n = 0};
    _cleanup_(delta_copies_done) struct delta_copies copies = {.n = 0}, no_copies = {.n = 0};

    make_frame(&old, 0, levels[_i]);
    make_frame(&new_frame, 700, levels[_i]);
    read_old(&old, &stored, &items);
    find_copies(&old, &new_frame, &copies);
    encode(&new_frame, &items, &copies, &coded);
    ck_assert_int_eq(decode(&new_frame, &items, &copies, bytes_of(&coded), coded.n, &made), 0);
    check_same(&new_frame, &made);
    encode(&new_frame, &no_items, &no_copies, &alone);
    ck_assert_int_eq(decode(&new_frame, &no_items, &no_copies, bytes_of(&alone), alone.n, &made_alone), 0);
    check_same(&new_frame, &made_alone);
    ck_assert_msg(coded.n < alone.n / 3 && alone.n < new_frame.packed.n,
                  "level %d: %zu beside old, %zu alone, %zu packed", levels[_i], coded.n, alone.n, new_frame.packed.n);
}
END_TEST

/* Beside a frame of another level: where sequences begin, and where matches come from, follow mostly from content. */
START_TEST(beside_another_level)
{
    _cleanup_(frame_done) struct frame old, new_frame;
    _cleanup_(hf_buf_done) struct hf_buf stored = BUF, coded = BUF, made = BUF;
    _cleanup_(pack_zold_done) struct pack_zold items = {.n = 0};
    _cleanup_(delta_copies_done) struct delta_copies copies = {.n = 0};

    make_frame(&old, 0, 16);
    make_frame(&new_frame, 700, 9);
    read_old(&old, &stored, &items);
    find_copies(&old, &new_frame, &copies);
    encode(&new_frame, &items, &copies, &coded);
    ck_assert_int_eq(decode(&new_frame, &items, &copies, bytes_of(&coded), coded.n, &made), 0);
    check_same(&new_frame, &made);
    ck_assert_msg(9 * coded.n < 2 * new_frame.packed.n, "%zu of %zu", coded.n, new_frame.packed.n);
}
END_TEST

/* A frame of an encoder that chooses otherwise comes back, too, and costs little more. */
START_TEST(not_the_imitated_encoder)
{
    _cleanup_(frame_done) struct frame old, new_frame;
    _cleanup_(hf_buf_done) struct hf_buf stored = BUF, coded = BUF, made = BUF;
    _cleanup_(pack_zold_done) struct pack_zold items = {.n = 0};
    _cleanup_(delta_copies_done) struct delta_copies copies = {.n = 0};

    make_frame(&old, 0, levels[_i]);
    make_frame(&new_frame, 700, levels[_i]);
    read_old(&old, &stored, &items);
    find_copies(&old, &new_frame, &copies);
    encode_as(true, &new_frame, &items, &copies, &coded);
    ck_assert_int_eq(decode(&new_frame, &items, &copies, bytes_of(&coded), coded.n, &made), 0);
    check_same(&new_frame, &made);
    ck_assert_msg(coded.n < new_frame.packed.n, "%zu of %zu", coded.n, new_frame.packed.n);
}
END_TEST

/* The same frame again costs next to nothing. */
START_TEST(the_same)
{
    _cleanup_(frame_done) struct frame old;
    _cleanup_(hf_buf_done) struct hf_buf stored = BUF, coded = BUF;
    _cleanup_(pack_zold_done) struct pack_zold items = {.n = 0};
    _cleanup_(delta_copies_done) struct delta_copies copies = {.n = 0};

    make_frame(&old, 0, 3);
    read_old(&old, &stored, &items);
    ck_assert_int_eq(delta_copies_add(&copies, (struct delta_copy){0, 0, old.content.n}), 0);
    encode(&old, &items, &copies, &coded);
    ck_assert_msg(coded.n < old.packed.n / 100, "%zu of %zu", coded.n, old.packed.n);
}
END_TEST

START_TEST(hostile_decisions)
{
    _cleanup_(frame_done) struct frame old, new_frame;
    _cleanup_(hf_buf_done) struct hf_buf stored = BUF, coded = BUF;
    _cleanup_(pack_zold_done) struct pack_zold items = {.n = 0};
    _cleanup_(delta_copies_done) struct delta_copies copies = {.n = 0};
    uint32_t x = 3;
    unsigned refused = 0;

    make_frame(&old, 0, 3);
    make_frame(&new_frame, 300, 3);
    read_old(&old, &stored, &items);
    find_copies(&old, &new_frame, &copies);
    encode(&new_frame, &items, &copies, &coded);
    for (unsigned i = 0; i < 24; i++) {
        _cleanup_(hf_buf_done) struct hf_buf made = BUF;
        size_t n = i % 2 == 0 ? coded.n : (x = x * 1664525 + 1013904223) % coded.n, at = 0;
        for (unsigned k = 0; i % 2 == 0 && k < 2; k++) {
            at = (x = x * 1664525 + 1013904223) % coded.n;
            coded.p[at] = (char)(coded.p[at] ^ (int)(x >> 24));
        }
        int r = decode(&new_frame, &items, &copies, bytes_of(&coded), n, &made);
        ck_assert(r == 0 || r == -EBADMSG);
        refused += r != 0;
    }
    ck_assert_uint_gt(refused, 12);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, beside_old, 0, HF_LEN(levels));
    tcase_add_test(tc, beside_another_level);
    tcase_add_loop_test(tc, not_the_imitated_encoder, 0, HF_LEN(levels));
    tcase_add_test(tc, the_same);
    tcase_add_test(tc, hostile_decisions);
}

HF_TEST_MAIN("pack/zstd model", cases)
