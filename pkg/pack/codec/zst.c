/* .zst through libzstd. Parameters: level, flags: 1 checksum, 2 content size stated, 4 with a worker (as the command does it). */
#include <errno.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getCParams() */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/macros.h"
#include "pack/codec/stage.h"

enum { CHECKSUM = 1, SIZE = 2, WORKER = 4, WINDOW_LOG_MAX = 27, MEMORY_MAX = 1 << 30 };

static int failed(size_t code, struct hf_err *err)
{
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return hf_err_set(err, ENOMEM, "libzstd: out of memory");
    return hf_err_set(err, EBADMSG, "libzstd: %s", ZSTD_getErrorName(code));
}

struct making {
    ZSTD_CCtx *zstd;
    struct pack_sink out;
    unsigned char buffer[32768];
};

static int start(struct making *making, const struct pack_setup *setup, struct hf_err *err)
{
    const struct {
        ZSTD_cParameter name;
        int value;
    } settings[] = {
        {ZSTD_c_compressionLevel, setup->params[0]},
        {ZSTD_c_checksumFlag, (setup->params[1] & CHECKSUM) != 0},
        {ZSTD_c_nbWorkers, (setup->params[1] & WORKER) != 0},
    };

    for (size_t i = 0; i < HF_LEN(settings); i++) {
        size_t code = ZSTD_CCtx_setParameter(making->zstd, settings[i].name, settings[i].value);
        if (ZSTD_isError(code))
            return failed(code, err);
    }
    size_t code = (setup->params[1] & SIZE) != 0 ? ZSTD_CCtx_setPledgedSrcSize(making->zstd, setup->plain_n) : 0;
    return ZSTD_isError(code) ? failed(code, err) : 0;
}

static void zstd_done(void *state)
{
    struct making *making = state;

    (void)ZSTD_freeCCtx(making->zstd);
    free(making);
}

static int zstd_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err)
{
    struct making *making;
    int r;

    if (setup->params_n != 2 || setup->params[0] < 1 || setup->params[0] > 22 || setup->params[1] > 7)
        return hf_err_set(err, EBADMSG, "zstd parameters that are not known");
    making = calloc(1, sizeof(*making));
    if (making == NULL || (making->zstd = ZSTD_createCCtx()) == NULL) {
        free(making);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    making->out = *out;
    r = start(making, setup, err);
    if (r < 0) {
        zstd_done(making);
        return r;
    }
    *ret_state = making;
    return 0;
}

static int step(struct making *making, ZSTD_inBuffer *in, ZSTD_EndDirective mode, bool *ret_end, struct hf_err *err)
{
    ZSTD_outBuffer out = {making->buffer, sizeof(making->buffer), 0};
    size_t left = ZSTD_compressStream2(making->zstd, &out, in, mode);

    if (ZSTD_isError(left))
        return failed(left, err);
    *ret_end = left == 0;
    return out.pos > 0 ? making->out.write(making->out.ctx, making->buffer, out.pos, err) : 0;
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

/* What libzstd allocates at most for a level; where it knows how much comes, windows and tables are no larger than that needs. */
static uint64_t zstd_memory(const struct pack_setup *setup)
{
    static const uint16_t mib[23] = {1,  1,  2,  3,  4,  5,  6,  8,   12,  16,  20, 24,
                                     28, 32, 36, 40, 48, 56, 80, 100, 200, 400, 800};

    if (setup->params_n != 2 || setup->params[0] > 22)
        return UINT64_MAX;
    uint64_t bytes = (uint64_t)mib[setup->params[0]] << 20;
    if ((setup->params[1] & SIZE) != 0 && setup->plain_n < bytes / 64)
        bytes = HF_MIN(bytes, 64 * setup->plain_n + (2u << 20));
    return (setup->params[1] & WORKER) != 0 ? 2 * bytes + (64u << 20) : bytes;
}

/* ---- taking apart --------------------------------------------------------------------------------------------------- */

struct taking {
    ZSTD_DCtx *zstd;
    struct pack_reader in;
    unsigned char buffer[65536];
};

static int take(struct taking *taking, const struct pack_decode *decode, bool *ret_end, struct hf_err *err)
{
    int more = pack_reader_fill(&taking->in, err);
    ZSTD_inBuffer in = {taking->in.buffer + taking->in.pos, taking->in.n - taking->in.pos, 0};
    ZSTD_outBuffer out = {taking->buffer, sizeof(taking->buffer), 0};

    if (more < 0)
        return more;
    size_t left = ZSTD_decompressStream(taking->zstd, &out, &in);
    if (ZSTD_isError(left))
        return failed(left, err);
    taking->in.pos += in.pos;
    *ret_end = left == 0;
    if (left != 0 && more == 0 && out.pos == 0)
        return hf_err_set(err, EBADMSG, "libzstd: the frame is cut off");
    return out.pos > 0 ? decode->out.write(decode->out.ctx, taking->buffer, out.pos, err) : 0;
}

static int zstd_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct taking *taking = calloc(1, sizeof(*taking));
    bool end = false;
    int r = 0;

    if (taking == NULL || (taking->zstd = ZSTD_createDCtx()) == NULL) {
        free(taking);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    pack_reader_init(&taking->in, decode->from, decode->offset, decode->offset + decode->n);
    size_t code = ZSTD_DCtx_setParameter(taking->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    if (ZSTD_isError(code))
        r = failed(code, err);
    while (r == 0 && !end) {
        r = pack_decode_wanted(decode, err);
        if (r == 0)
            r = take(taking, decode, &end, err);
        if (r == 0)
            r = pack_decode_memory(decode, ZSTD_sizeof_DCtx(taking->zstd) + sizeof(*taking), err);
    }
    if (r == 0)
        *ret_n = pack_reader_tell(&taking->in) - decode->offset;
    (void)ZSTD_freeDCtx(taking->zstd);
    free(taking);
    return r;
}

static const char *zstd_version(void)
{
    static _Thread_local char text[40];

    (void)snprintf(text, sizeof(text), "libzstd %s", ZSTD_versionString());
    return text;
}

const struct pack_encoder_ops pack_zstd_ops = {
    .make = zstd_make,
    .feed = zstd_feed,
    .finish = zstd_finish,
    .done = zstd_done,
    .memory = zstd_memory,
    .decode = zstd_decode,
    .version = zstd_version,
};

enum { SINGLE = 32, MAGIC_BYTES = 4, WINDOW_LOG_MIN = 10 };

/* Would a frame of this level state that window? One that is in one piece states none. */
static bool has_window(const struct pack_search *search, int level, bool known)
{
    unsigned head = search->packed[MAGIC_BYTES], window = search->packed[MAGIC_BYTES + 1];
    ZSTD_compressionParameters usual = ZSTD_getCParams(level, known ? search->plain_n : 0, 0);

    if ((head & SINGLE) != 0)
        return known && UINT64_C(1) << usual.windowLog >= search->plain_n;
    return window == (usual.windowLog - WINDOW_LOG_MIN) << 3;
}

/* Flags 0 and WORKER differ in how a frame is cut into jobs, which the first blocks of 128 KiB do not show. What makes one job is tried
 * without first: a worker has 64 MiB beside. Of more, most is made by the command, with one. 1: found. */
static int try_level(const struct pack_search *search, struct pack_setup *setup, struct hf_err *err)
{
    enum { TRIAL = 3 << 17, ONE_JOB = 1 << 20 };
    int r = pack_encoder_starts(setup, search, TRIAL, err);

    if (search->plain_n <= ONE_JOB)
        setup->params[1] |= WORKER;
    for (unsigned i = 0; r > 0 && i < 2; i++) {
        setup->params[1] ^= WORKER;
        if ((r = pack_encoder_makes(setup, search, err)) != 0)
            return r;
        r = 1;
    }
    return HF_MIN(r, 0);
}

int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err)
{
    enum { QUICK_LEVELS = 3 }; /* the first ones */
    static const unsigned char levels[] = {3, 1, 2,  9,  6,  19, 12, 15, 22, 4,  5,
                                           7, 8, 10, 11, 13, 14, 16, 17, 18, 20, 21};
    struct pack_setup setup = {.codec = PACK_CODEC_ZSTD, .params_n = 2, .plain_n = search->plain_n};
    size_t tried = search->quick ? QUICK_LEVELS : HF_LEN(levels);

    if (search->packed_n < 6 || (search->packed[MAGIC_BYTES] & 3) != 0)
        return hf_err_set(err, ENOENT, "a frame that needs a dictionary");
    unsigned head = search->packed[MAGIC_BYTES], flags = (head & 4) != 0 ? CHECKSUM : 0;
    if (head >> 6 != 0 || (head & SINGLE) != 0)
        flags |= SIZE;
    for (size_t i = 0; i < tried; i++) {
        if (!has_window(search, levels[i], (flags & SIZE) != 0))
            continue;
        setup.params[0] = levels[i];
        setup.params[1] = (unsigned char)flags;
        int r = try_level(search, &setup, err);
        if (r < 0)
            return r;
        if (r > 0) {
            if ((flags & SIZE) == 0)
                setup.plain_n = 0;
            *ret_setup = setup;
            return 0;
        }
    }
    return hf_err_set(err, ENOENT, "no known encoder");
}
