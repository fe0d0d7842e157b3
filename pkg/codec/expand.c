/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expand.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { CHUNK_BYTES = 16384, GZIP_WINDOW = 15 + 16, MAX_WINDOW_LOG = 23 };

int hf_expand_kind(struct hf_view name, enum hf_squeeze_kind *ret_kind)
{
    static const struct {
        const char *name;
        enum hf_squeeze_kind kind;
    } kinds[] = {
        {"", HF_SQUEEZE_NONE},       {"identity", HF_SQUEEZE_NONE}, {"gzip", HF_SQUEEZE_GZIP},
        {"x-gzip", HF_SQUEEZE_GZIP}, {"zstd", HF_SQUEEZE_ZSTD},
    };
    struct hf_view bare = hf_view_trim(name);

    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (bare.n == strlen(kinds[i].name) && (bare.n == 0 || strncasecmp(bare.p, kinds[i].name, bare.n) == 0)) {
            *ret_kind = kinds[i].kind;
            return 0;
        }
    return -ENOTSUP;
}

static int fail(const char **ret_what, int r, const char *what)
{
    if (ret_what != NULL)
        *ret_what = what;
    return r;
}

static int damaged(const char **ret_what)
{
    return fail(ret_what, -EBADMSG, "the compressed body is damaged");
}

static int cut_off(const char **ret_what)
{
    return fail(ret_what, -EBADMSG, "the compressed body is cut off");
}

struct expansion {
    struct hf_buf *out;
    size_t begin; /* offset in out of the expanded body */
    size_t packed_n;
    const char **ret_what;
};

/* Reserves room for the next chunk within the limits. */
static int make_room(const struct expansion *expansion, size_t *ret_room)
{
    struct hf_buf *out = expansion->out;
    size_t n = out->n - expansion->begin, left = out->max - out->n;

    if (n >= HF_EXPAND_RATIO_FROM && n / HF_EXPAND_MAX_RATIO >= expansion->packed_n)
        return fail(expansion->ret_what, -E2BIG, "the body unpacks to far more than was sent");
    if (left == 0)
        return fail(expansion->ret_what, -E2BIG, "the unpacked body is too long");
    *ret_room = HF_MIN(left, (size_t)CHUNK_BYTES);
    return hf_buf_reserve(out, *ret_room) < 0 ? fail(expansion->ret_what, -ENOMEM, "out of memory") : 0;
}

/* In a full buffer the callers decode into one byte elsewhere, which shows if more would come. */
static void took(struct hf_buf *out, size_t n)
{
    out->n += n;
    out->p[out->n] = '\0';
}

/* ---- gzip -------------------------------------------------------------------------------------------------------- */

/* 1: a member has ended, 0: continue. */
static int inflate_some(const struct expansion *expansion, z_stream *stream)
{
    size_t room;
    unsigned char more;
    bool full = expansion->out->n == expansion->out->max;
    int r = full ? 0 : make_room(expansion, &room);

    if (r < 0)
        return r;
    stream->next_out = full ? &more : (unsigned char *)expansion->out->p + expansion->out->n;
    stream->avail_out = full ? 1 : (unsigned)room;
    size_t before = stream->avail_out;
    int z = inflate(stream, Z_NO_FLUSH);
    size_t n = before - stream->avail_out;
    if (full && n > 0)
        return fail(expansion->ret_what, -E2BIG, "the unpacked body is too long");
    if (!full)
        took(expansion->out, n);
    if (z == Z_STREAM_END)
        return 1;
    if (z == Z_MEM_ERROR)
        return fail(expansion->ret_what, -ENOMEM, "out of memory");
    if (z == Z_BUF_ERROR || (z == Z_OK && stream->avail_in == 0 && n < before))
        return cut_off(expansion->ret_what);
    return z == Z_OK ? 0 : damaged(expansion->ret_what);
}

static int expand_gzip(const struct expansion *expansion, struct hf_view packed)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.p, .avail_in = (unsigned)packed.n};
    int r;

    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return fail(expansion->ret_what, -ENOMEM, "out of memory");
    do {
        r = inflate_some(expansion, &stream);
        if (r == 1 && stream.avail_in > 0)
            r = inflateReset(&stream) == Z_OK ? 0 : damaged(expansion->ret_what);
        else if (r == 1)
            break;
    } while (r == 0);
    (void)inflateEnd(&stream);
    return r < 0 ? r : 0;
}

/* ---- zstd -------------------------------------------------------------------------------------------------------- */

static int stream_zstd(const struct expansion *expansion, ZSTD_DCtx *context, ZSTD_inBuffer *in)
{
    size_t left = 1;

    while (left != 0) {
        char more;
        size_t room;
        bool full = expansion->out->n == expansion->out->max;
        int r = full ? 0 : make_room(expansion, &room);
        if (r < 0)
            return r;
        ZSTD_outBuffer out = {full ? &more : expansion->out->p + expansion->out->n, full ? 1 : room, 0};
        size_t before = in->pos;
        left = ZSTD_decompressStream(context, &out, in);
        if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
            return fail(expansion->ret_what, -ENOMEM, "out of memory");
        if (ZSTD_isError(left) != 0)
            return damaged(expansion->ret_what);
        if (full && out.pos > 0)
            return fail(expansion->ret_what, -E2BIG, "the unpacked body is too long");
        if (!full)
            took(expansion->out, out.pos);
        if (left != 0 && in->pos == before && out.pos == 0)
            return cut_off(expansion->ret_what);
    }
    return 0;
}

static int expand_zstd(const struct expansion *expansion, struct hf_view packed)
{
    ZSTD_inBuffer in = {packed.p, packed.n, 0};
    ZSTD_DCtx *context = ZSTD_createDCtx();
    int r = 0;

    if (context == NULL)
        return fail(expansion->ret_what, -ENOMEM, "out of memory");
    (void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, MAX_WINDOW_LOG);
    while (r == 0 && in.pos < in.size)
        r = stream_zstd(expansion, context, &in);
    (void)ZSTD_freeDCtx(context);
    return r;
}

int hf_expand(enum hf_squeeze_kind kind, struct hf_view packed, struct hf_buf *out, const char **ret_what)
{
    const struct expansion expansion = {.out = out, .begin = out->n, .packed_n = packed.n, .ret_what = ret_what};

    if (kind == HF_SQUEEZE_NONE) {
        int r = hf_buf_add(out, packed.p, packed.n);
        return r < 0 ? fail(ret_what, r, "the body is too long") : 0;
    }
    if (packed.n == 0)
        return cut_off(ret_what);
    if (packed.n > INT_MAX)
        return fail(ret_what, -E2BIG, "the body is too long");
    return kind == HF_SQUEEZE_GZIP ? expand_gzip(&expansion, packed) : expand_zstd(&expansion, packed);
}
