/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile frames are read, and hostile decisions are written with hostile content. What is written reads as what it was
 * written from. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/buf.h"
#include "pack/zstd/check.h"
#include "pack/zstd/decisions.h"
#include "pack/zstd/frame.h"
#include "pack/zstd/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { CONTENT = 1 << 20 };

static void take_apart(const uint8_t *bytes, size_t n)
{
    static unsigned char content[CONTENT];
    size_t made = ZSTD_decompress(content, sizeof(content), bytes, n);

    (void)!pack_zframe_check(bytes, n, content, ZSTD_isError(made) ? HF_MIN(n, sizeof(content)) : made);
}

/* The block in bytes[0..n), if it is one, over zeros with some of the bytes between. */
static void write_over(const uint8_t *bytes, size_t n)
{
    static struct pack_zframe_state reading, writing, again;
    static struct pack_zframe_block block, read;
    static unsigned char content[ZFRAME_BLOCK_MAX], work[ZFRAME_BLOCK_MAX];
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(2 * ZFRAME_BLOCK_MAX);

    memset(&reading, 0, sizeof(reading));
    memset(&writing, 0, sizeof(writing));
    memset(&again, 0, sizeof(again));
    memset(content, 0, sizeof(content));
    memcpy(content, bytes, HF_MIN(n, sizeof(content)));
    for (size_t at = 0, body; n - at >= ZFRAME_BLOCK_HEAD; at += ZFRAME_BLOCK_HEAD + body) {
        if (!pack_zframe_block_head(bytes + at, &block, &body) || n - at - ZFRAME_BLOCK_HEAD < body ||
            !pack_zframe_block_read(&reading, bytes + at + ZFRAME_BLOCK_HEAD, body, &block))
            return;
        out.n = 0;
        if (pack_zframe_block_write(&writing, &block, content, work, &out) < 0)
            return;
        const unsigned char *p = (const unsigned char *)out.p;
        size_t again_n;
        if (!pack_zframe_block_head(p, &read, &again_n) || again_n + ZFRAME_BLOCK_HEAD != out.n ||
            !pack_zframe_block_read(&again, p + ZFRAME_BLOCK_HEAD, again_n, &read) || read.content_n != block.content_n)
            abort();
        if (block.kind == ZFRAME_COMPRESSED &&
            (read.n != block.n || read.literals_n != block.literals_n ||
             memcmp(read.sequence, block.sequence, block.n * sizeof(block.sequence[0])) != 0))
            abort();
    }
}

/* Decisions that no reader would hand on. */
static void write_hostile(const uint8_t *bytes, size_t n)
{
    static struct pack_zframe_state state;
    static struct pack_zframe_block block;
    static unsigned char content[ZFRAME_BLOCK_MAX], work[ZFRAME_BLOCK_MAX];
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(2 * ZFRAME_BLOCK_MAX);
    const size_t fixed = offsetof(struct pack_zframe_block, n);

    memset(&state, 0, sizeof(state));
    memset(&block, 0, sizeof(block));
    if (n < fixed)
        return;
    memcpy(&block, bytes, fixed);
    block.kind = ZFRAME_COMPRESSED;
    block.last = false;
    block.weights.fse = (bytes[offsetof(struct pack_zframe_block, weights.fse)] & 1) != 0;
    block.content_n %= ZFRAME_BLOCK_MAX + 1;
    block.literals = (enum pack_zframe_literals)((unsigned)block.literals % 4);
    block.weights.n %= ZFRAME_WEIGHTS + 2;
    for (unsigned i = 0; i < ZFRAME_ALPHABETS; i++)
        block.table[i].mode = (enum pack_zframe_mode)((unsigned)block.table[i].mode % 4);
    block.n = HF_MIN((n - fixed) / sizeof(block.sequence[0]), (size_t)ZFRAME_SEQUENCES);
    memcpy(block.sequence, bytes + fixed, block.n * sizeof(block.sequence[0]));
    (void)!pack_zframe_block_write(&state, &block, content, work, &out);
}

/* Coded decisions, beside an old frame's and over content that repeats itself. */
static void decode(const uint8_t *bytes, size_t n)
{
    enum { REST = 300000, PERIOD = 611, OLD = 300 };
    static unsigned char content[REST], work[ZFRAME_BLOCK_MAX];
    static struct pack_zframe_state state;
    static struct pack_zframe_block block;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(2 * ZFRAME_BLOCK_MAX);
    _cleanup_(hf_buf_done) struct hf_buf stored = HF_BUF_INIT(1 << 20);
    _cleanup_(pack_zold_done) struct pack_zold old;
    const struct pack_store store = pack_store_buf(&stored);
    struct delta_copy copy[2] = {{0, 50, 700}, {900, 100, 5000}};
    const struct delta_copies copies = {copy, HF_LEN(copy), 0};
    struct hf_err err = HF_ERR_INIT;
    struct delta_cm cm;

    if (pack_zold_open(&old, &store) < 0)
        return;
    pack_zold_frame(&old);
    block = (struct pack_zframe_block){.kind = ZFRAME_COMPRESSED, .content_n = OLD * 140, .n = OLD};
    for (unsigned i = 0; i < OLD; i++)
        block.sequence[i] = (struct pack_zframe_sequence){40, 100, PERIOD + 3 + i % 2};
    for (unsigned i = 0; i < 4; i++) /* more items than a page has */
        if (pack_zold_add(&old, &block, NULL) < 0)
            return;
    for (size_t i = 0; i < REST; i++)
        content[i] = (unsigned char)(i % PERIOD * 37);
    struct pack_zmodel *model = pack_zmodel_new(&old, &copies);
    if (model == NULL)
        return;
    memset(&state, 0, sizeof(state));
    delta_cm_start_decoding_bytes(&cm, bytes, n, &err);
    size_t done = 0;
    int r = pack_zmodel_frame(model, &cm, REST, false);
    for (block.last = false; r == 0 && !block.last; done += r == 0 ? block.content_n : 0) {
        const struct pack_zcontent at = {content + done, done, REST - done, done};
        out.n = 0;
        r = pack_zmodel_size(model, &cm, REST - done, &block);
        if (r == 0)
            r = pack_zmodel_block(model, &cm, &at, &block);
        if (r == 0)
            r = pack_zframe_block_write(&state, &block, at.p, work, &out);
    }
    pack_zmodel_free(model);
}

static int count(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    (void)bytes, (void)err;
    *(uint64_t *)ctx += n;
    return 0;
}

/* The codec as a delta uses it: a frame's head, how much content there is, and the coded part are from outside. */
static void through_codec(const uint8_t *bytes, size_t n)
{
    enum { HEAD = 6, CONTENT_MAX = 400000, PERIOD = 5003 };
    static unsigned char content[CONTENT_MAX], packed[CONTENT_MAX];
    static size_t packed_n;
    _cleanup_(hf_buf_done) struct hf_buf stored = HF_BUF_INIT(8 << 20);
    const struct pack_store store = pack_store_buf(&stored);
    struct hf_err err = HF_ERR_INIT;
    uint64_t made = 0, old_n;
    const struct pack_sink sink = {&made, count};
    void *shared, *state = NULL;

    if (n < HEAD)
        return;
    for (size_t i = 0; packed_n == 0 && i < CONTENT_MAX; i++)
        content[i] = (unsigned char)(i % PERIOD * (i % PERIOD) >> 3);
    if (packed_n == 0)
        packed_n = ZSTD_compress(packed, sizeof(packed), content, sizeof(content), 1);
    if (hf_buf_add(&stored, bytes + HEAD, n - HEAD) < 0 ||
        pack_zdecisions_ops.shared->make(&store, 0, n - HEAD, &shared, &err) < 0)
        return;
    struct hf_delta_memory memory = {packed, packed_n};
    const struct hf_delta_old from = {&memory, hf_delta_memory_pread, packed_n};
    const struct pack_decode decode = {
        .codec = PACK_CODEC_ZSTD_DECISIONS, .from = &from, .n = packed_n, .out = sink, .shared = shared};
    if (pack_zdecisions_ops.decode(&decode, &old_n, &err) < 0 || old_n != packed_n)
        abort();
    const struct pack_setup setup = {.codec = PACK_CODEC_ZSTD_DECISIONS,
                                     .params_n = 2,
                                     .params = {bytes[0], bytes[1]},
                                     .plain_n = hf_le(bytes + 2, 3) % CONTENT_MAX,
                                     .shared = shared};
    for (unsigned i = 0; i < 2 && pack_zdecisions_ops.make(&setup, &sink, &state, &err) == 0; i++) {
        int r = 0;
        size_t step = 1 + 977 * (size_t)bytes[5];
        for (size_t at = 0; r == 0 && at < setup.plain_n; at += step)
            r = pack_zdecisions_ops.feed(state, content + at, HF_MIN(step, setup.plain_n - at), &err);
        if (r == 0)
            r = pack_zdecisions_ops.finish(state, &err);
        pack_zdecisions_ops.done(state);
        if (r < 0 && err.cause[0] == '\0')
            abort();
        if (r < 0)
            break;
    }
    (void)!pack_zdecisions_ops.shared->finish(shared, &err);
    pack_zdecisions_ops.shared->done(shared);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 1 || n > ZFRAME_BLOCK_MAX)
        return 0;
    void (*const targets[])(const uint8_t *p, size_t bytes_n) = {take_apart, write_over, write_hostile, decode,
                                                                 through_codec};
    targets[bytes[0] % HF_LEN(targets)](bytes + 1, n - 1);
    return 0;
}
