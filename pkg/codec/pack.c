/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pack.h"

#include <errno.h>
#include <zstd.h>

enum { LEVEL = 19, WINDOW_LOG = 23, PIECE = 1 << 16 };

struct hf_pack {
    ZSTD_CCtx *zstd;
    int (*write)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    char out[PIECE];
};

struct hf_pack *hf_pack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t total_bytes)
{
    struct hf_pack *pack = calloc(1, sizeof(*pack));

    if (pack == NULL)
        return NULL;
    pack->write = write;
    pack->ctx = ctx;
    pack->zstd = ZSTD_createCCtx();
    if (pack->zstd == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_windowLog, WINDOW_LOG)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(pack->zstd, total_bytes))) {
        hf_pack_free(pack);
        return NULL;
    }
    return pack;
}

void hf_pack_free(struct hf_pack *pack)
{
    if (pack == NULL)
        return;
    (void)ZSTD_freeCCtx(pack->zstd);
    free(pack);
}

static int push(struct hf_pack *pack, ZSTD_inBuffer *in, ZSTD_EndDirective directive, struct hf_err *err)
{
    size_t left;

    do {
        ZSTD_outBuffer out = {pack->out, sizeof(pack->out), 0};
        left = ZSTD_compressStream2(pack->zstd, &out, in, directive);
        if (ZSTD_isError(left))
            return hf_err_set(err, EIO, "zstd: %s", ZSTD_getErrorName(left));
        int r = out.pos > 0 ? pack->write(pack->ctx, pack->out, out.pos) : 0;
        if (r < 0)
            return hf_err_wrap(err, r, "write packed bytes");
    } while (in->pos < in->size || (directive == ZSTD_e_end && left > 0));
    return 0;
}

int hf_pack_feed(struct hf_pack *pack, const void *bytes, size_t n, struct hf_err *err)
{
    ZSTD_inBuffer in = {bytes, n, 0};

    return push(pack, &in, ZSTD_e_continue, err);
}

int hf_pack_finish(struct hf_pack *pack, struct hf_err *err)
{
    ZSTD_inBuffer in = {"", 0, 0};

    return push(pack, &in, ZSTD_e_end, err);
}
