/* SPDX-License-Identifier: Apache-2.0 */
/* The imitated encoder chooses what klauspost/compress v1.17.9 and v1.20.4 chose for the same content, over many blocks
 * and more than a window, and alone in a frame; such choices cost next to nothing. */
#include <errno.h>
#include <string.h>

#include "pack/zstd/imitate.h"
#include "pack/zstd/model.h"
#include "support/check_main.h"
#include "support/makers/packs.h"

#define BUF HF_BUF_INIT(64 << 20)
enum { WINDOW = 8 << 20 };

/* Text, bytes that nothing repeats, runs of one byte; then parts of all this again, from near and far. */
static void make_content(struct hf_buf *out, size_t n)
{
    size_t stop = out->n + n, from = out->n;
    uint32_t x = 1;

    packs_text(out, HF_MIN(n, (size_t)300000), 1, 0);
    while (out->n < stop) {
        x = x * 1664525 + 1013904223;
        size_t k = HF_MIN(stop - out->n, (size_t)(x >> 8) % 30000 + 1);
        ck_assert_int_eq(hf_buf_reserve(out, k), 0);
        size_t back = x >> 29 == 0 ? 0 : 1 + (size_t)(x >> 3) % HF_MIN(out->n - from, (size_t)12000000);
        for (size_t i = 0; i < k; i++) {
            if (back == 0)
                x = x * 1664525 + 1013904223;
            char byte = back == 0 ? (char)(x >> 24) : out->p[out->n - back];
            if (i % 1000 == 999)
                byte ^= 1;
            out->p[out->n++] = byte;
        }
    }
}

static struct pack_zframe_block block;

/* The sequences of the block at `at`. */
static void choose(struct pack_zimitate *imitate, const struct hf_buf *content, size_t at)
{
    const struct pack_zcontent part = {(const unsigned char *)content->p + at, HF_MIN(at, (size_t)WINDOW),
                                       content->n - at, at};
    uint32_t n = (uint32_t)HF_MIN(content->n - at, (size_t)ZFRAME_BLOCK_MAX);
    bool last = at + n == content->n;

    memset(&block, 0, sizeof(block));
    block.kind = ZFRAME_COMPRESSED;
    block.content_n = n;
    block.last = last;
    pack_zimitate_block(imitate, at == 0 && last);
    while (pack_zimitate_guess(imitate, &part, n, &block.sequence[block.n]))
        pack_zimitate_tell(imitate, &block.sequence[block.n++]);
}

static const struct {
    size_t n;
    uint64_t sequences, hash; /* of the encoder's frame */
} frames[] = {
    {12, 0, UINT64_C(0xef46db3751d8e999)},
    {3000, 217, UINT64_C(0x8f72ad43ab60ef87)},
    {90000, 11538, UINT64_C(0x1a9af821bfc5d2b7)},
    {1000000, 39704, UINT64_C(0xaea298e0d1f5ea3f)},
    {20000000, 102167, UINT64_C(0x14c135253719ba0e)},
};

START_TEST(chooses_as_the_encoder)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF;
    struct pack_zimitate *imitate = pack_zimitate_new();
    struct pack_zframe_hash hash;
    uint64_t sequences = 0;

    make_content(&content, frames[_i].n);
    pack_zimitate_frame(imitate, WINDOW);
    pack_zframe_hash_init(&hash);
    for (size_t at = 0; at < content.n; at += block.content_n) {
        choose(imitate, &content, at);
        sequences += block.n;
        pack_zframe_hash_update(&hash, (const unsigned char *)block.sequence, block.n * sizeof(block.sequence[0]));
    }
    ck_assert_uint_eq(sequences, frames[_i].sequences);
    ck_assert_uint_eq(pack_zframe_hash_final(&hash), frames[_i].hash);
    pack_zimitate_free(imitate);
}
END_TEST

/* Through the model: the same blocks come back. */
START_TEST(costs_next_to_nothing)
{
    enum { CONTENT = 1000000 };
    static struct pack_zframe_block back;
    _cleanup_(hf_buf_done) struct hf_buf content = BUF, coded = BUF;
    struct pack_zold old = {.n = 0};
    const struct delta_copies copies = {.n = 0};
    struct pack_zmodel *encoder = pack_zmodel_new(&old, &copies), *decoder = pack_zmodel_new(&old, &copies);
    struct pack_zimitate *imitate = pack_zimitate_new();
    struct hf_err err = HF_ERR_INIT;
    struct delta_cm cm;
    size_t sequences = 0;

    make_content(&content, CONTENT);
    pack_zimitate_frame(imitate, WINDOW);
    delta_cm_start_encoding(&cm, &coded);
    ck_assert_int_eq(pack_zmodel_frame(encoder, &cm, WINDOW, true), 0);
    for (size_t at = 0; at < CONTENT; at += block.content_n) {
        choose(imitate, &content, at);
        const struct pack_zcontent part = {(const unsigned char *)content.p + at, at, CONTENT - at, at};
        ck_assert_int_eq(pack_zmodel_size(encoder, &cm, CONTENT - at, &block), 0);
        ck_assert_int_eq(pack_zmodel_block(encoder, &cm, &part, &block), 0);
        sequences += block.n;
    }
    ck_assert_int_eq(delta_cm_finish(&cm), 0);
    ck_assert_uint_gt(sequences, 30000);
    ck_assert_msg(coded.n < 200, "%zu bytes for %zu sequences", coded.n, sequences);
    delta_cm_start_decoding_bytes(&cm, (const unsigned char *)coded.p, coded.n, &err);
    ck_assert_int_eq(pack_zmodel_frame(decoder, &cm, WINDOW, false), 0);
    pack_zimitate_free(imitate);
    imitate = pack_zimitate_new();
    pack_zimitate_frame(imitate, WINDOW);
    for (size_t at = 0; at < CONTENT; at += block.content_n) {
        const struct pack_zcontent part = {(const unsigned char *)content.p + at, at, CONTENT - at, at};
        ck_assert_int_eq(pack_zmodel_size(decoder, &cm, CONTENT - at, &back), 0);
        ck_assert_int_eq(pack_zmodel_block(decoder, &cm, &part, &back), 0);
        choose(imitate, &content, at);
        ck_assert_uint_eq(back.n, block.n);
        ck_assert_mem_eq(back.sequence, block.sequence, block.n * sizeof(block.sequence[0]));
    }
    ck_assert_int_eq(delta_cm_finish(&cm), 0);
    pack_zimitate_free(imitate);
    pack_zmodel_free(encoder);
    pack_zmodel_free(decoder);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, chooses_as_the_encoder, 0, HF_LEN(frames));
    tcase_add_test(tc, costs_next_to_nothing);
}

HF_TEST_MAIN("pack/zstd imitate", cases)
