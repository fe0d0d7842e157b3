/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/codec/zst.h"

#include <errno.h>
#include <stdio.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/macros.h"

enum { WINDOW_LOG_MAX = 27 };

static int failed(size_t code, struct hf_err *err)
{
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return hf_err_set(err, ENOMEM, "libzstd: out of memory");
    return hf_err_set(err, EBADMSG, "libzstd: %s", ZSTD_getErrorName(code));
}

struct zst_encoder {
    ZSTD_CCtx *zstd;
    struct pack_sink out;
    unsigned char buffer[32768];
};

static int start(struct zst_encoder *encoder, const struct pack_setup *setup, struct hf_err *err)
{
    const struct {
        ZSTD_cParameter name;
        int value;
    } settings[] = {
        {ZSTD_c_compressionLevel, setup->params[0]},
        {ZSTD_c_checksumFlag, (setup->params[1] & ZST_CHECKSUM) != 0},
        {ZSTD_c_nbWorkers, (setup->params[1] & ZST_WORKER) != 0},
    };

    for (size_t i = 0; i < HF_LEN(settings); i++) {
        size_t code = ZSTD_CCtx_setParameter(encoder->zstd, settings[i].name, settings[i].value);
        if (ZSTD_isError(code))
            return failed(code, err);
    }
    size_t code = (setup->params[1] & ZST_SIZE) != 0 ? ZSTD_CCtx_setPledgedSrcSize(encoder->zstd, setup->plain_n) : 0;
    return ZSTD_isError(code) ? failed(code, err) : 0;
}

static void zstd_done(void *state)
{
    struct zst_encoder *encoder = state;

    (void)ZSTD_freeCCtx(encoder->zstd);
    free(encoder);
}

static int zstd_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err)
{
    struct zst_encoder *encoder;
    int r;

    if (setup->params_n != 2 || setup->params[0] < 1 || setup->params[0] > 22 || setup->params[1] > 7)
        return hf_err_set(err, EBADMSG, "unknown zstd parameters");
    encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL || (encoder->zstd = ZSTD_createCCtx()) == NULL) {
        free(encoder);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    encoder->out = *out;
    r = start(encoder, setup, err);
    if (r < 0) {
        zstd_done(encoder);
        return r;
    }
    *ret_state = encoder;
    return 0;
}

static int step(struct zst_encoder *encoder, ZSTD_inBuffer *in, ZSTD_EndDirective mode, bool *ret_end,
                struct hf_err *err)
{
    ZSTD_outBuffer out = {encoder->buffer, sizeof(encoder->buffer), 0};
    size_t left = ZSTD_compressStream2(encoder->zstd, &out, in, mode);

    if (ZSTD_isError(left))
        return failed(left, err);
    *ret_end = left == 0;
    return out.pos > 0 ? encoder->out.write(encoder->out.ctx, encoder->buffer, out.pos, err) : 0;
}

static int zstd_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    bool end;
    int r = 0;

    while (r == 0 && in.pos < in.size)
        r = step(state, &in, ZSTD_e_continue, &end, err);
    return r;
}

static int zstd_finish(void *state, struct hf_err *err)
{
    ZSTD_inBuffer in = {NULL, 0, 0};
    bool end = false;
    int r = 0;

    while (r == 0 && !end)
        r = step(state, &in, ZSTD_e_end, &end, err);
    return r;
}

/* The most that libzstd 1.5 allocates for a level (ZSTD_estimateCStreamSize(), rounded up). If it knows the size of the
 * content, it makes windows and tables no larger than that size needs. */
static uint64_t zstd_memory(const struct pack_setup *setup)
{
    static const uint16_t mib[23] = {4,  2,  2,  4,  5,  6,  6,  9,  9,   17,  29, 29,
                                     53, 53, 53, 69, 69, 69, 69, 90, 194, 386, 778};

    if (setup->params_n != 2 || setup->params[0] > 22)
        return UINT64_MAX;
    uint64_t bytes = (uint64_t)mib[setup->params[0]] << 20;
    if ((setup->params[1] & ZST_SIZE) != 0 && setup->plain_n < bytes / 64)
        bytes = HF_MIN(bytes, 64 * setup->plain_n + (2u << 20));
    return (setup->params[1] & ZST_WORKER) != 0 ? 2 * bytes + (64u << 20) : bytes;
}

/* ---- decoder apart ----------------------------------------------------------------------------------------------- */

struct zst_decoder {
    ZSTD_DCtx *zstd;
    struct pack_reader in;
    unsigned char buffer[65536];
};

static int decode_some(struct zst_decoder *decoder, const struct pack_decode *decode, bool *ret_end, struct hf_err *err)
{
    int more = pack_reader_fill(&decoder->in, err);
    ZSTD_inBuffer in = {decoder->in.buffer + decoder->in.pos, decoder->in.n - decoder->in.pos, 0};
    ZSTD_outBuffer out = {decoder->buffer, sizeof(decoder->buffer), 0};

    if (more < 0)
        return more;
    size_t left = ZSTD_decompressStream(decoder->zstd, &out, &in);
    if (ZSTD_isError(left))
        return failed(left, err);
    decoder->in.pos += in.pos;
    *ret_end = left == 0;
    if (left != 0 && more == 0 && out.pos == 0)
        return hf_err_set(err, EBADMSG, "libzstd: the frame is incomplete");
    return out.pos > 0 ? decode->out.write(decode->out.ctx, decoder->buffer, out.pos, err) : 0;
}

static int zstd_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct zst_decoder *decoder = calloc(1, sizeof(*decoder));
    bool end = false;
    int r = 0;

    if (decoder == NULL || (decoder->zstd = ZSTD_createDCtx()) == NULL) {
        free(decoder);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    pack_reader_init(&decoder->in, decode->from, decode->offset, decode->offset + decode->n);
    size_t code = ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    if (ZSTD_isError(code))
        r = failed(code, err);
    while (r == 0 && !end) {
        r = pack_decode_check_cancel(decode, err);
        if (r == 0)
            r = decode_some(decoder, decode, &end, err);
        if (r == 0)
            r = pack_decode_memory(decode, ZSTD_sizeof_DCtx(decoder->zstd) + sizeof(*decoder), err);
    }
    if (r == 0)
        *ret_n = pack_reader_offset(&decoder->in) - decode->offset;
    (void)ZSTD_freeDCtx(decoder->zstd);
    free(decoder);
    return r;
}

static const char *zstd_version(void)
{
    static _Thread_local char text[40];

    (void)snprintf(text, sizeof(text), "libzstd %s", ZSTD_versionString());
    return text;
}

const struct pack_codec_ops pack_zstd_ops = {
    .make = zstd_make,
    .feed = zstd_feed,
    .finish = zstd_finish,
    .done = zstd_done,
    .memory = zstd_memory,
    .decode = zstd_decode,
    .version = zstd_version,
};
