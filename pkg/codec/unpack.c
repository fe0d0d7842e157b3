/* SPDX-License-Identifier: Apache-2.0 */
/* Holds back the first bytes, six at most, until they show the format. */
#include "codec/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/macros.h"

#define DEFAULT_WINDOW ((size_t)32 << 20)

enum {
    PIECE = 1 << 16,
    MAGIC_MAX = 6,
    XZ_OVERHEAD = 1 << 20, /* memory of its decoder besides the dictionary */
};

enum kind { KIND_UNKNOWN, KIND_PLAIN, KIND_ZSTD, KIND_XZ };

static const struct {
    enum kind kind;
    size_t n;
    unsigned char bytes[MAGIC_MAX];
} magics[] = {
    {KIND_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
    {KIND_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
};

struct hf_unpack {
    int (*write)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    size_t max_window;
    enum kind kind;
    unsigned char head[MAGIC_MAX]; /* KIND_UNKNOWN: held back */
    size_t head_n;
    ZSTD_DCtx *zstd;
    lzma_stream xz;
    bool ended; /* at the end of a frame (zstd) or of the stream (xz) */
    int failed; /* negative: takes nothing more */
    unsigned char out[PIECE];
};

struct hf_unpack *hf_unpack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t max_window)
{
    struct hf_unpack *unpack = calloc(1, sizeof(*unpack));

    if (unpack == NULL)
        return NULL;
    unpack->write = write;
    unpack->ctx = ctx;
    unpack->max_window = max_window > 0 ? max_window : DEFAULT_WINDOW;
    unpack->xz = (lzma_stream)LZMA_STREAM_INIT;
    return unpack;
}

void hf_unpack_free(struct hf_unpack *unpack)
{
    if (unpack == NULL)
        return;
    (void)ZSTD_freeDCtx(unpack->zstd);
    lzma_end(&unpack->xz);
    free(unpack);
}

static int give(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err)
{
    int r = n > 0 ? unpack->write(unpack->ctx, bytes, n) : 0;

    return r < 0 ? hf_err_wrap(err, r, "write unpacked bytes") : 0;
}

static int too_large(const struct hf_unpack *unpack, struct hf_err *err)
{
    return hf_err_set(err, E2BIG,
                      "the artifact's compression needs more than %zu MiB of memory; pack it with a smaller window",
                      unpack->max_window >> 20);
}

/* ---- zstd -------------------------------------------------------------------------------------------------------- */

static int zstd_begin(struct hf_unpack *unpack, struct hf_err *err)
{
    int log = 63 - __builtin_clzll(unpack->max_window);

    unpack->zstd = ZSTD_createDCtx();
    log = HF_MAX(log, ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).lowerBound);
    log = HF_MIN(log, ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
    if (unpack->zstd == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, log)))
        return hf_err_set(err, ENOMEM, "not enough memory to unpack zstd");
    return 0;
}

static int zstd_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    bool full = false;

    /* A full output may have left more inside, but not at the end of a frame: asked again there, zstd speaks of the
     * next one. */
    while (in.pos < in.size || full) {
        ZSTD_outBuffer out = {unpack->out, sizeof(unpack->out), 0};
        size_t left = ZSTD_decompressStream(unpack->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            ZSTD_ErrorCode code = ZSTD_getErrorCode(left);
            if (code == ZSTD_error_frameParameter_windowTooLarge)
                return too_large(unpack, err);
            if (code == ZSTD_error_memory_allocation)
                return hf_err_set(err, ENOMEM, "not enough memory to unpack zstd");
            return hf_err_set(err, EBADMSG, "damaged zstd data: %s", ZSTD_getErrorName(left));
        }
        unpack->ended = left == 0;
        full = out.pos == out.size && !unpack->ended;
        int r = give(unpack, out.dst, out.pos, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- xz ---------------------------------------------------------------------------------------------------------- */

static int xz_begin(struct hf_unpack *unpack, struct hf_err *err)
{
    if (lzma_stream_decoder(&unpack->xz, unpack->max_window + XZ_OVERHEAD, LZMA_CONCATENATED) != LZMA_OK)
        return hf_err_set(err, ENOMEM, "not enough memory to unpack xz");
    return 0;
}

static int xz_error(const struct hf_unpack *unpack, lzma_ret code, struct hf_err *err)
{
    switch (code) {
    case LZMA_MEMLIMIT_ERROR:
        return too_large(unpack, err);
    case LZMA_MEM_ERROR:
        return hf_err_set(err, ENOMEM, "not enough memory to unpack xz");
    case LZMA_OPTIONS_ERROR:
        return hf_err_set(err, EBADMSG, "xz data with unsupported filters");
    default:
        return hf_err_set(err, EBADMSG, "damaged xz data");
    }
}

static int xz_feed(struct hf_unpack *unpack, const void *bytes, size_t n, lzma_action action, struct hf_err *err)
{
    lzma_ret code = LZMA_OK;

    unpack->xz.next_in = bytes;
    unpack->xz.avail_in = n;
    while (code == LZMA_OK) {
        unpack->xz.next_out = unpack->out;
        unpack->xz.avail_out = sizeof(unpack->out);
        code = lzma_code(&unpack->xz, action);
        int r = give(unpack, unpack->out, sizeof(unpack->out) - unpack->xz.avail_out, err);
        if (r < 0)
            return r;
        if (code == LZMA_OK && action == LZMA_RUN && unpack->xz.avail_in == 0 && unpack->xz.avail_out > 0)
            return 0;
    }
    unpack->ended = code == LZMA_STREAM_END;
    /* BUF_ERROR: no progress is possible, which finish() calls an end in the middle. */
    return unpack->ended || code == LZMA_BUF_ERROR ? 0 : xz_error(unpack, code, err);
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

/* KIND_UNKNOWN while the bytes so far could still become a magic. */
static enum kind judge(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < HF_LEN(magics); i++)
        if (memcmp(head, magics[i].bytes, HF_MIN(n, magics[i].n)) == 0)
            return n >= magics[i].n ? magics[i].kind : KIND_UNKNOWN;
    return KIND_PLAIN;
}

static int pass(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err)
{
    switch (unpack->kind) {
    case KIND_ZSTD:
        return zstd_feed(unpack, bytes, n, err);
    case KIND_XZ:
        return xz_feed(unpack, bytes, n, LZMA_RUN, err);
    default:
        return give(unpack, bytes, n, err);
    }
}

static int begin(struct hf_unpack *unpack, enum kind kind, struct hf_err *err)
{
    int r = kind == KIND_ZSTD ? zstd_begin(unpack, err) : kind == KIND_XZ ? xz_begin(unpack, err) : 0;

    unpack->kind = kind;
    return r < 0 ? r : pass(unpack, unpack->head, unpack->head_n, err);
}

static int feed(struct hf_unpack *unpack, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    while (unpack->kind == KIND_UNKNOWN && n > 0) {
        unpack->head[unpack->head_n++] = *bytes++;
        n--;
        enum kind kind = judge(unpack->head, unpack->head_n);
        int r = kind != KIND_UNKNOWN ? begin(unpack, kind, err) : 0;
        if (r < 0)
            return r;
    }
    return n > 0 ? pass(unpack, bytes, n, err) : 0;
}

int hf_unpack_feed(struct hf_unpack *unpack, const void *bytes, size_t n, struct hf_err *err)
{
    if (unpack->failed < 0)
        return hf_err_set(err, -unpack->failed, "unpacking failed before");
    unpack->failed = feed(unpack, bytes, n, err);
    return unpack->failed;
}

int hf_unpack_finish(struct hf_unpack *unpack, struct hf_err *err)
{
    int r = unpack->failed < 0 ? hf_err_set(err, -unpack->failed, "unpacking failed before") : 0;

    if (r == 0 && unpack->kind == KIND_UNKNOWN)
        return begin(unpack, KIND_PLAIN, err);
    if (r == 0 && unpack->kind == KIND_XZ)
        r = xz_feed(unpack, "", 0, LZMA_FINISH, err);
    if (r == 0 && unpack->kind != KIND_PLAIN && !unpack->ended)
        r = hf_err_set(err, EBADMSG, "compressed data ends in the middle");
    return r;
}
