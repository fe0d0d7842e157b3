/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/deep_short.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/endian.h"
#include "pack/deep/recipe.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"

enum { TEXT = 700, PACKED_MAX = 8192 };

static void must(bool good)
{
    if (!good)
        abort();
}

static void add(struct hf_buf *to, const void *bytes, size_t n)
{
    must(n == 0 || hf_buf_add(to, bytes, n) == 0);
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

static void add_zstd(struct hf_buf *to, const struct hf_buf *text)
{
    char packed[PACKED_MAX];
    size_t n = ZSTD_compress(packed, sizeof(packed), text->p, text->n, 3);

    must(!ZSTD_isError(n));
    add(to, packed, n);
}

/* As a stream: its block does not state its sizes, as one made at once would. */
static void add_xz(struct hf_buf *to, const struct hf_buf *text)
{
    uint8_t packed[PACKED_MAX];
    lzma_stream stream = LZMA_STREAM_INIT;

    must(lzma_easy_encoder(&stream, 0, LZMA_CHECK_CRC32) == LZMA_OK);
    stream.next_in = (const uint8_t *)text->p;
    stream.avail_in = text->n;
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    must(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
    add(to, packed, stream.total_out);
    lzma_end(&stream);
}

static int add_some(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    (void)err;
    add(ctx, bytes, n);
    return 0;
}

static void add_gzip(struct hf_buf *to, const struct hf_buf *text)
{
    static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    const struct pack_setup zlib6 = {.codec = PACK_CODEC_DEFLATE, .params_n = 2, .params = {0, 6}, .gzip_tail = true};
    const struct pack_sink out = {to, add_some};
    struct pack_encoder *encoder = NULL;
    struct hf_err err = HF_ERR_INIT;

    add(to, head, sizeof(head));
    must(pack_encoder_new(&zlib6, &out, &encoder, &err) == 0);
    must(pack_encoder_feed(encoder, text->p, text->n, &err) == 0 && pack_encoder_finish(encoder, &err) == 0);
    pack_encoder_free(encoder);
}

void deep_short_file(unsigned change, struct hf_buf *to)
{
    static void (*const ways[])(struct hf_buf *, const struct hf_buf *) = {add_gzip, add_zstd, add_xz};
    _cleanup_(hf_buf_done) struct hf_buf nested = HF_BUF_INIT(1 << 16);

    packs_text(to, TEXT / 2, 1, change);
    for (unsigned i = 0; i < HF_LEN(ways); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
        packs_text(&text, TEXT, 2 + i, change);
        ways[i](to, &text);
        if (ways[i] == add_zstd)
            add_zstd(&nested, &text);
    }
    packs_text(&nested, TEXT / 2, 9, change);
    add_gzip(to, &nested);
}

const struct hf_buf *deep_short_old(void)
{
    static struct hf_buf old = HF_BUF_INIT(1 << 16);

    if (old.n == 0)
        deep_short_file(0, &old);
    return &old;
}

/* ---- in short and back ----------------------------------------------------------------------------------------- */

static void add_varint(struct hf_buf *to, uint64_t value)
{
    unsigned char bytes[10];

    add(to, bytes, delta_put_varint(bytes, value));
}

static void add_recipe(struct hf_buf *to, const uint8_t *recipe, size_t n, bool behind_zstd)
{
    char packed[2 * DEEP_SHORT_RECIPE_MAX];
    size_t packed_n = behind_zstd ? ZSTD_compress(packed, sizeof(packed), recipe, n, 1) : 0;

    must(!ZSTD_isError(packed_n));
    add_varint(to, 2 * n + (behind_zstd ? 1 : 0));
    if (behind_zstd)
        add_varint(to, packed_n);
    add(to, behind_zstd ? packed : (const char *)recipe, behind_zstd ? packed_n : n);
}

void deep_short_expand(const uint8_t *bytes, size_t n, struct hf_buf *patch, uint64_t *ret_new_n)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    uint8_t head[DEEP_SHORT_HEAD] = {0};
    unsigned char header_bytes[DELTA_HEADER_MAX];

    memcpy(head, bytes, HF_MIN(n, sizeof(head)));
    bytes += HF_MIN(n, sizeof(head));
    n -= HF_MIN(n, sizeof(head));
    size_t recipe_n = HF_MIN(HF_MIN(hf_le16(head), (size_t)DEEP_SHORT_RECIPE_MAX), n);
    add_recipe(&body, bytes, recipe_n, (head[4] & DEEP_SHORT_PACKED) != 0);
    add(&body, bytes + recipe_n, n - recipe_n);
    *ret_new_n = hf_le16(head + 2);
    const struct delta_header header = {.version = DELTA_VERSION,
                                        .profile = (head[4] & DEEP_SHORT_FAST) != 0 ? HF_DELTA_FAST : HF_DELTA_SMALL,
                                        .method = DEEP_METHOD,
                                        .old_size = deep_short_old()->n,
                                        .new_size = *ret_new_n,
                                        .body_size = body.n};
    add(patch, header_bytes, delta_header_format(&header, header_bytes));
    add(patch, body.p, body.n);
}

bool deep_short_of(const struct hf_buf *patch, struct hf_buf *to)
{
    struct delta_io bytes = delta_io_of(patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct delta_input input;
    struct delta_header header;
    struct recipe recipe = {0};
    struct hf_err err = HF_ERR_INIT;
    bool good = false;

    delta_input_init(&input, &in);
    if (delta_header_read(&input, &header, &err) < 0 || header.method != DEEP_METHOD)
        return false;
    bool is_packed = (patch->p[input.offset] & 1) != 0;
    if (recipe_read(&input, &recipe, &err) == 0) {
        size_t recipe_n = (size_t)(recipe.end - recipe.bytes);
        unsigned flags = (is_packed ? DEEP_SHORT_PACKED : 0) | (header.profile == HF_DELTA_FAST ? DEEP_SHORT_FAST : 0);
        uint8_t head[DEEP_SHORT_HEAD] = {[4] = (uint8_t)flags};
        hf_put_le(head, 2, recipe_n);
        hf_put_le(head + 2, 2, header.new_size);
        good = recipe_n <= DEEP_SHORT_RECIPE_MAX && header.new_size <= UINT16_MAX;
        if (good) {
            add(to, head, sizeof(head));
            add(to, recipe.bytes, recipe_n);
            add(to, patch->p + input.offset, patch->n - (size_t)input.offset);
        }
    }
    recipe_done(&recipe);
    return good;
}
