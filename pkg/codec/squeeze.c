/* SPDX-License-Identifier: Apache-2.0 */
/* Collects IN bytes before each call of the library: cheaper than a call for each line, and the library's input does
 * not depend on how a body is cut into pieces. */
#include "codec/squeeze.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    IN = 32 << 10,
    OUT = 16 << 10,
    ZSTD_LEVEL = 1,
    ZSTD_WINDOW_LOG = 17,
    ZLIB_LEVEL = 3,
    GZIP_WINDOW = 15 + 16,
    ZLIB_MEMORY = 8
};

struct hf_squeeze {
    enum hf_squeeze_kind kind;
    struct hf_buf *out;
    size_t held;
    ZSTD_CCtx *zstd;
    z_stream zlib;
    bool zlib_made;
    char in[IN];
    char piece[OUT];
};

const char *hf_squeeze_name(enum hf_squeeze_kind kind)
{
    return kind == HF_SQUEEZE_ZSTD ? "zstd" : kind == HF_SQUEEZE_GZIP ? "gzip" : NULL;
}

static bool make_zstd(struct hf_squeeze *squeeze)
{
    squeeze->zstd = ZSTD_createCCtx();
    return squeeze->zstd != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_windowLog, ZSTD_WINDOW_LOG)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_checksumFlag, 1));
}

static bool make_zlib(struct hf_squeeze *squeeze)
{
    squeeze->zlib_made =
        deflateInit2(&squeeze->zlib, ZLIB_LEVEL, Z_DEFLATED, GZIP_WINDOW, ZLIB_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    return squeeze->zlib_made;
}

struct hf_squeeze *hf_squeeze_new(enum hf_squeeze_kind kind)
{
    struct hf_squeeze *squeeze = calloc(1, sizeof(*squeeze));

    if (squeeze == NULL)
        return NULL;
    squeeze->kind = kind;
    if ((kind == HF_SQUEEZE_ZSTD && !make_zstd(squeeze)) || (kind == HF_SQUEEZE_GZIP && !make_zlib(squeeze))) {
        hf_squeeze_free(squeeze);
        return NULL;
    }
    return squeeze;
}

void hf_squeeze_free(struct hf_squeeze *squeeze)
{
    if (squeeze == NULL)
        return;
    (void)ZSTD_freeCCtx(squeeze->zstd);
    if (squeeze->zlib_made)
        (void)deflateEnd(&squeeze->zlib);
    free(squeeze);
}

int hf_squeeze_begin(struct hf_squeeze *squeeze, struct hf_buf *out)
{
    squeeze->out = out;
    squeeze->held = 0;
    if (squeeze->zstd != NULL && ZSTD_isError(ZSTD_CCtx_reset(squeeze->zstd, ZSTD_reset_session_only)))
        return -EIO;
    if (squeeze->zlib_made && deflateReset(&squeeze->zlib) != Z_OK)
        return -EIO;
    return 0;
}

static int push_zstd(struct hf_squeeze *squeeze, bool last)
{
    ZSTD_inBuffer in = {squeeze->in, squeeze->held, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {squeeze->piece, OUT, 0};
        left = ZSTD_compressStream2(squeeze->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
        int r = hf_buf_add(squeeze->out, squeeze->piece, out.pos);
        if (r < 0)
            return r;
    } while (in.pos < in.size || (last && left > 0));
    return 0;
}

static int push_zlib(struct hf_squeeze *squeeze, bool last)
{
    z_stream *zlib = &squeeze->zlib;
    int status;

    zlib->next_in = (const Bytef *)squeeze->in;
    zlib->avail_in = (uInt)squeeze->held;
    do {
        zlib->next_out = (Bytef *)squeeze->piece;
        zlib->avail_out = OUT;
        status = deflate(zlib, last ? Z_FINISH : Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return -EIO;
        int r = hf_buf_add(squeeze->out, squeeze->piece, OUT - zlib->avail_out);
        if (r < 0)
            return r;
    } while (zlib->avail_in > 0 || zlib->avail_out == 0 || (last && status != Z_STREAM_END));
    return 0;
}

static int push(struct hf_squeeze *squeeze, bool last)
{
    int r = squeeze->kind == HF_SQUEEZE_ZSTD   ? push_zstd(squeeze, last)
            : squeeze->kind == HF_SQUEEZE_GZIP ? push_zlib(squeeze, last)
                                               : hf_buf_add(squeeze->out, squeeze->in, squeeze->held);

    squeeze->held = 0;
    return r;
}

int hf_squeeze_add(struct hf_squeeze *squeeze, const void *bytes, size_t n)
{
    const char *p = bytes;

    if (squeeze->kind == HF_SQUEEZE_NONE)
        return hf_buf_add(squeeze->out, bytes, n);
    while (n > 0) {
        size_t part = HF_MIN(n, IN - squeeze->held);
        memcpy(squeeze->in + squeeze->held, p, part);
        squeeze->held += part;
        p += part;
        n -= part;
        int r = squeeze->held == IN ? push(squeeze, false) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int hf_squeeze_end(struct hf_squeeze *squeeze)
{
    return squeeze->kind == HF_SQUEEZE_NONE ? 0 : push(squeeze, true);
}
