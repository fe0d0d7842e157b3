/* SPDX-License-Identifier: Apache-2.0 */
/* .xz through liblzma: LZMA2 with at most three filters before it, threaded framing or not.
 *
 * Parameters: threaded, check (1 byte each), number of filters before LZMA2, for each its id (1) and its start offset
 * or distance (4); then dictionary size (4), lc, lp, pb, mode, match finder (1 each), nice length, depth (4 each),
 * block size (8). */
#include "pack/codec/xz.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "pack/codec/xz_params.h"

enum { MEMORY_MAX = 1 << 30 };

static int failed(lzma_ret ret, struct hf_err *err)
{
    if (ret == LZMA_MEM_ERROR)
        return hf_err_set(err, ENOMEM, "liblzma: out of memory");
    if (ret == LZMA_MEMLIMIT_ERROR)
        return hf_err_set(err, E2BIG, "liblzma: decompressing needs more memory than the limit");
    return hf_err_set(err, EBADMSG, "liblzma: error %d: damaged stream or invalid parameters", (int)ret);
}

static void put(unsigned char **p, uint64_t value, unsigned n)
{
    for (; n > 0; n--, value >>= 8)
        *(*p)++ = (unsigned char)value;
}

static uint64_t get(const unsigned char **p, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t) * (*p)++ << 8 * i;
    return value;
}

void pack_xz_add_filter(struct pack_xz_params *params, lzma_vli id, uint32_t value)
{
    unsigned i = params->filters_n++;

    params->filters[i].id = id;
    if (id == LZMA_FILTER_DELTA) {
        params->delta[i] = (lzma_options_delta){.type = LZMA_DELTA_TYPE_BYTE, .dist = value};
        params->filters[i].options = &params->delta[i];
    } else {
        params->bcj[i] = (lzma_options_bcj){.start_offset = value};
        params->filters[i].options = &params->bcj[i];
    }
}

void pack_xz_end_filters(struct pack_xz_params *params)
{
    params->filters[params->filters_n] = (lzma_filter){LZMA_FILTER_LZMA2, &params->lzma};
    params->filters[params->filters_n + 1] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
}

/* Layout, little endian: threaded, check (1 byte each); number of filters before LZMA2 (1), for each its id (1) and
 * its start offset or distance (4); dictionary size (4), lc, lp, pb, mode, match finder (1 each), nice length, depth
 * (4 each), block size (8). */
static int parse_params(const struct pack_setup *setup, struct pack_xz_params *params, struct hf_err *err)
{
    const unsigned char *p = setup->params;

    memset(params, 0, sizeof(*params));
    if (setup->params_n < 3 || p[2] > XZ_FILTERS_MAX || setup->params_n != 3u + 5u * p[2] + 25u)
        return hf_err_set(err, EBADMSG, "xz parameters have a wrong length");
    params->threaded = *p++ != 0;
    params->check = (lzma_check)*p++;
    for (unsigned n = *p++; n > 0; n--) {
        lzma_vli id = *p++;
        uint32_t value = (uint32_t)get(&p, 4);
        if (id < LZMA_FILTER_DELTA || id > 11)
            return hf_err_set(err, EOPNOTSUPP, "unknown xz filter %llu", (unsigned long long)id);
        pack_xz_add_filter(params, id, value);
    }
    params->lzma.dict_size = (uint32_t)get(&p, 4);
    params->lzma.lc = (uint32_t)get(&p, 1);
    params->lzma.lp = (uint32_t)get(&p, 1);
    params->lzma.pb = (uint32_t)get(&p, 1);
    params->lzma.mode = (lzma_mode)get(&p, 1);
    params->lzma.mf = (lzma_match_finder)get(&p, 1);
    params->lzma.nice_len = (uint32_t)get(&p, 4);
    params->lzma.depth = (uint32_t)get(&p, 4);
    params->block_bytes = get(&p, 8);
    pack_xz_end_filters(params);
    return 0;
}

void pack_xz_format(const struct pack_xz_params *params, struct pack_setup *setup)
{
    unsigned char *p = setup->params;

    setup->codec = PACK_CODEC_XZ;
    put(&p, params->threaded, 1);
    put(&p, params->check, 1);
    put(&p, params->filters_n, 1);
    for (unsigned i = 0; i < params->filters_n; i++) {
        bool delta = params->filters[i].id == LZMA_FILTER_DELTA;
        put(&p, params->filters[i].id, 1);
        put(&p, delta ? params->delta[i].dist : params->bcj[i].start_offset, 4);
    }
    put(&p, params->lzma.dict_size, 4);
    put(&p, params->lzma.lc, 1);
    put(&p, params->lzma.lp, 1);
    put(&p, params->lzma.pb, 1);
    put(&p, params->lzma.mode, 1);
    put(&p, params->lzma.mf, 1);
    put(&p, params->lzma.nice_len, 4);
    put(&p, params->lzma.depth, 4);
    put(&p, params->block_bytes, 8);
    setup->params_n = (unsigned)(p - setup->params);
}

/* ---- encoding ---------------------------------------------------------------------------------------------------- */

struct xz_encoder {
    lzma_stream stream;
    struct pack_sink out;
    unsigned char buffer[32768];
};

static lzma_mt threads_of(const struct pack_xz_params *params)
{
    /* The output does not depend on the number of threads, and one thread needs the least memory. */
    return (lzma_mt){
        .threads = 1, .block_size = params->block_bytes, .filters = params->filters, .check = params->check};
}

static int start(struct xz_encoder *encoder, struct pack_xz_params *params, struct hf_err *err)
{
    lzma_mt threads = threads_of(params);
    lzma_ret ret = params->threaded ? lzma_stream_encoder_mt(&encoder->stream, &threads)
                                    : lzma_stream_encoder(&encoder->stream, params->filters, params->check);

    return ret == LZMA_OK ? 0 : failed(ret, err);
}

static uint64_t xz_memory(const struct pack_setup *setup)
{
    struct pack_xz_params params;

    if (parse_params(setup, &params, NULL) < 0)
        return UINT64_MAX;
    lzma_mt threads = threads_of(&params);
    uint64_t bytes =
        params.threaded ? lzma_stream_encoder_mt_memusage(&threads) : lzma_raw_encoder_memusage(params.filters);
    return bytes == UINT64_MAX ? bytes : bytes + sizeof(struct xz_encoder);
}

static int xz_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err)
{
    struct pack_xz_params params;
    int r = parse_params(setup, &params, err);

    if (r < 0)
        return r;
    if (xz_memory(setup) > MEMORY_MAX)
        return hf_err_set(err, E2BIG, "xz with these parameters needs more than %d MiB", MEMORY_MAX >> 20);
    struct xz_encoder *encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    encoder->stream = (lzma_stream)LZMA_STREAM_INIT;
    encoder->out = *out;
    r = start(encoder, &params, err);
    if (r < 0) {
        free(encoder);
        return r;
    }
    *ret_state = encoder;
    return 0;
}

static int step(struct xz_encoder *encoder, lzma_action action, bool *ret_end, struct hf_err *err)
{
    encoder->stream.next_out = encoder->buffer;
    encoder->stream.avail_out = sizeof(encoder->buffer);
    lzma_ret ret = lzma_code(&encoder->stream, action);
    size_t n = sizeof(encoder->buffer) - encoder->stream.avail_out;
    *ret_end = ret == LZMA_STREAM_END;
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return failed(ret, err);
    return n > 0 ? encoder->out.write(encoder->out.ctx, encoder->buffer, n, err) : 0;
}

static int xz_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct xz_encoder *encoder = state;
    bool end;
    int r = 0;

    encoder->stream.next_in = bytes;
    encoder->stream.avail_in = n;
    while (r == 0 && encoder->stream.avail_in > 0)
        r = step(encoder, LZMA_RUN, &end, err);
    return r;
}

static int xz_finish(void *state, struct hf_err *err)
{
    bool end = false;
    int r = 0;

    while (r == 0 && !end)
        r = step(state, LZMA_FINISH, &end, err);
    return r;
}

static void xz_done(void *state)
{
    struct xz_encoder *encoder = state;

    lzma_end(&encoder->stream);
    free(encoder);
}

/* ---- decoder apart ----------------------------------------------------------------------------------------------- */

struct xz_decoder {
    lzma_stream stream;
    struct pack_reader in;
    unsigned char buffer[65536];
};

static int decode_some(struct xz_decoder *decoder, const struct pack_decode *decode, bool *ret_end, struct hf_err *err)
{
    int r = pack_reader_fill(&decoder->in, err);

    if (r < 0)
        return r;
    decoder->stream.next_in = decoder->in.buffer + decoder->in.pos;
    decoder->stream.avail_in = decoder->in.n - decoder->in.pos;
    decoder->stream.next_out = decoder->buffer;
    decoder->stream.avail_out = sizeof(decoder->buffer);
    lzma_ret ret = lzma_code(&decoder->stream, r == 0 ? LZMA_FINISH : LZMA_RUN);
    decoder->in.pos = decoder->in.n - decoder->stream.avail_in;
    size_t n = sizeof(decoder->buffer) - decoder->stream.avail_out;
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return failed(ret, err);
    *ret_end = ret == LZMA_STREAM_END;
    return n > 0 ? decode->out.write(decode->out.ctx, decoder->buffer, n, err) : 0;
}

static int xz_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct xz_decoder *decoder = calloc(1, sizeof(*decoder));
    bool end = false;

    if (decoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    decoder->stream = (lzma_stream)LZMA_STREAM_INIT;
    pack_reader_init(&decoder->in, decode->from, decode->offset, decode->offset + decode->n);
    lzma_ret ret = lzma_stream_decoder(&decoder->stream, decode->memory_max != 0 ? decode->memory_max : MEMORY_MAX, 0);
    int r = ret == LZMA_OK ? 0 : failed(ret, err);
    while (r == 0 && !end) {
        r = pack_decode_check_cancel(decode, err);
        if (r == 0)
            r = decode_some(decoder, decode, &end, err);
    }
    if (r == 0)
        r = pack_decode_memory(decode, lzma_memusage(&decoder->stream) + sizeof(*decoder), err);
    if (r == 0)
        *ret_n = pack_reader_offset(&decoder->in) - decode->offset;
    lzma_end(&decoder->stream);
    free(decoder);
    return r;
}

static const char *xz_version(void)
{
    static _Thread_local char text[40];

    (void)snprintf(text, sizeof(text), "liblzma %s", lzma_version_string());
    return text;
}

const struct pack_codec_ops pack_xz_ops = {
    .make = xz_make,
    .feed = xz_feed,
    .finish = xz_finish,
    .done = xz_done,
    .memory = xz_memory,
    .decode = xz_decode,
    .version = xz_version,
};
