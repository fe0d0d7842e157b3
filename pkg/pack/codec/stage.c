#include "pack/codec/stage.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

struct pack_encoder {
    const struct pack_encoder_ops *ops;
    void *state;
};

static int unknown(enum pack_codec codec, struct hf_err *err)
{
    if (codec == PACK_CODEC_XZ || codec == PACK_CODEC_ZSTD)
        return hf_err_set(err, EOPNOTSUPP, "this program was built without %s: 'holdfast delta apply' has it",
                          codec == PACK_CODEC_XZ ? "xz" : "zstd");
    return hf_err_set(err, EOPNOTSUPP, "compression number %d is not known", (int)codec);
}

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end)
{
    reader->from = from;
    reader->at = at;
    reader->end = end;
    reader->pos = reader->n = 0;
}

int pack_reader_fill(struct pack_reader *reader, struct hf_err *err)
{
    if (reader->pos < reader->n)
        return 1;
    if (reader->at >= reader->end)
        return 0;
    size_t want = (size_t)HF_MIN((uint64_t)sizeof(reader->buffer), reader->end - reader->at);
    ssize_t n = reader->from->pread(reader->from->ctx, reader->buffer, want, reader->at);
    if (n < 0)
        return hf_err_sys(err, (int)n, "read packed bytes at %llu", (unsigned long long)reader->at);
    reader->pos = 0;
    reader->n = (size_t)n;
    reader->at += (uint64_t)n;
    return n > 0;
}

uint64_t pack_reader_tell(const struct pack_reader *reader)
{
    return reader->at - (reader->n - reader->pos);
}

int pack_encoder_new(const struct pack_setup *setup, const struct pack_sink *out, struct pack_encoder **ret_encoder,
                     struct hf_err *err)
{
    const struct pack_encoder_ops *ops = pack_codec_ops(setup->codec);
    struct pack_encoder *encoder = ops != NULL ? malloc(sizeof(*encoder)) : NULL;
    int r;

    if (ops == NULL)
        return unknown(setup->codec, err);
    if (encoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    encoder->ops = ops;
    r = ops->make(setup, out, &encoder->state, err);
    if (r < 0) {
        free(encoder);
        return r;
    }
    *ret_encoder = encoder;
    return 0;
}

int pack_encoder_feed(struct pack_encoder *encoder, const void *bytes, size_t n, struct hf_err *err)
{
    return encoder->ops->feed(encoder->state, bytes, n, err);
}

int pack_encoder_finish(struct pack_encoder *encoder, struct hf_err *err)
{
    return encoder->ops->finish(encoder->state, err);
}

void pack_encoder_free(struct pack_encoder *encoder)
{
    if (encoder == NULL)
        return;
    encoder->ops->done(encoder->state);
    free(encoder);
}

uint64_t pack_encoder_memory(const struct pack_setup *setup)
{
    const struct pack_encoder_ops *ops = pack_codec_ops(setup->codec);

    return ops != NULL ? ops->memory(setup) : UINT64_MAX;
}

const char *pack_codec_version(enum pack_codec codec)
{
    const struct pack_encoder_ops *ops = pack_codec_ops(codec);

    return ops != NULL && ops->version != NULL ? ops->version() : NULL;
}

int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err)
{
    if (decode->memory_max != 0 && bytes > decode->memory_max)
        return hf_err_set(err, E2BIG, "unpacking needs %llu bytes of memory, %llu are allowed",
                          (unsigned long long)bytes, (unsigned long long)decode->memory_max);
    if (decode->memory != NULL)
        *decode->memory = HF_MAX(*decode->memory, bytes);
    return 0;
}

int pack_decode_wanted(const struct pack_decode *decode, struct hf_err *err)
{
    if (decode->cancel != NULL && atomic_load(decode->cancel))
        return hf_err_set(err, ECANCELED, "cancelled");
    return 0;
}

int pack_decode_some(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    const struct pack_encoder_ops *ops = pack_codec_ops(decode->codec);

    return ops != NULL ? ops->decode(decode, ret_n, err) : unknown(decode->codec, err);
}

int pack_decode_run(const struct pack_decode *decode, struct hf_err *err)
{
    uint64_t n;
    int r = pack_decode_some(decode, &n, err);

    if (r == 0 && n != decode->n)
        r = hf_err_set(err, EBADMSG, "a compressed stream has %llu bytes, not %llu", (unsigned long long)n,
                       (unsigned long long)decode->n);
    return r;
}

/* ---- does it come out the same? ----------------------------------------------------------------------------------- */

struct compare {
    const struct pack_search *search;
    size_t at;
    bool differs;
};

static int compare_bytes(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    struct compare *compare = ctx;

    if (n > compare->search->packed_n - compare->at || memcmp(compare->search->packed + compare->at, bytes, n) != 0) {
        compare->differs = true;
        return hf_err_set(err, EBADMSG, "packed bytes differ");
    }
    compare->at += n;
    return 0;
}

static int feed_plain(struct pack_encoder *encoder, const struct pack_search *search, size_t n, struct hf_err *err)
{
    const size_t step = 1 << 18;
    int r = 0;

    for (size_t at = 0; r == 0 && at < n; at += step) {
        if (search->progress != NULL && search->progress(search->progress_ctx) != 0)
            return hf_err_set(err, ECANCELED, "cancelled");
        r = pack_encoder_feed(encoder, search->plain + at, HF_MIN(step, n - at), err);
    }
    return r;
}

static bool is_no_way(const struct compare *compare, int r)
{
    return compare->differs || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL || r == -E2BIG;
}

int pack_encoder_starts(const struct pack_setup *setup, const struct pack_search *search, size_t n, struct hf_err *err)
{
    struct compare compare = {search, 0, false};
    const struct pack_sink sink = {&compare, compare_bytes};
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    int r = pack_encoder_new(setup, &sink, &encoder, err);

    if (r == 0)
        r = feed_plain(encoder, search, HF_MIN(n, search->plain_n), err);
    return is_no_way(&compare, r) ? 0 : r < 0 ? r : 1;
}

int pack_encoder_makes(const struct pack_setup *setup, const struct pack_search *search, struct hf_err *err)
{
    struct compare compare = {search, 0, false};
    const struct pack_sink sink = {&compare, compare_bytes};
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    int r = pack_encoder_new(setup, &sink, &encoder, err);

    if (r == 0)
        r = feed_plain(encoder, search, search->plain_n, err);
    if (r == 0)
        r = pack_encoder_finish(encoder, err);
    return is_no_way(&compare, r) ? 0 : r < 0 ? r : compare.at == search->packed_n;
}

/* ---- the same library? --------------------------------------------------------------------------------------------- */

static int print_bytes(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    (void)err;
    hf_sha256_update(ctx, bytes, n);
    return 0;
}

int pack_encoder_print(const struct pack_setup *setup, unsigned char print[PACK_PRINT_BYTES], struct hf_err *err)
{
    enum { TEXT_BYTES = 192 << 10 };
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    _cleanup_(hf_freep) unsigned char *text = malloc(TEXT_BYTES);
    struct pack_setup plain = *setup;
    unsigned char digest[HF_SHA256_BYTES];
    struct hf_sha256 hash;
    const struct pack_sink sink = {&hash, print_bytes};
    uint32_t state = 1;

    if (text == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    plain.marks = NULL;
    plain.marks_n = 0;
    plain.plain_n = TEXT_BYTES;
    hf_sha256_init(&hash);
    /* Words out of 512, so that there is much to choose from. */
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        if (i % 4 == 0)
            state = state * 1664525u + 1013904223u;
        text[i] = (unsigned char)((state >> 23) * 2654435761u >> (8 * (i % 4)));
    }
    int r = pack_encoder_new(&plain, &sink, &encoder, err);
    if (r == 0)
        r = pack_encoder_feed(encoder, text, TEXT_BYTES, err);
    if (r == 0)
        r = pack_encoder_finish(encoder, err);
    if (r < 0)
        return r;
    hf_sha256_final(&hash, digest);
    memcpy(print, digest, PACK_PRINT_BYTES);
    return 0;
}

/* CRC-32 of gzip (polynomial edb88320 reflected), four bits at a time: small, and fast enough beside deflating. */
uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
