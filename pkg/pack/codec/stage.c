/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/codec/stage.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

struct pack_encoder {
    const struct pack_codec_ops *ops;
    void *state;
};

static int unknown(enum pack_codec codec, struct hf_err *err)
{
    if (codec >= PACK_CODEC_XZ && codec < PACK_CODEC_END)
        return hf_err_set(err, EOPNOTSUPP, "this program lacks %s: use 'holdfast delta apply'",
                          codec == PACK_CODEC_XZ ? "xz" : "zstd");
    return hf_err_set(err, EOPNOTSUPP, "unknown compression number %d", (int)codec);
}

int pack_encoder_new(const struct pack_setup *setup, const struct pack_sink *out, struct pack_encoder **ret_encoder,
                     struct hf_err *err)
{
    const struct pack_codec_ops *ops = pack_codec_ops(setup->codec);
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
    const struct pack_codec_ops *ops = pack_codec_ops(setup->codec);

    return ops != NULL ? ops->memory(setup) : UINT64_MAX;
}

const char *pack_codec_version(enum pack_codec codec)
{
    const struct pack_codec_ops *ops = pack_codec_ops(codec);

    return ops != NULL && ops->version != NULL ? ops->version() : NULL;
}

int pack_decode_some(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    const struct pack_codec_ops *ops = pack_codec_ops(decode->codec);

    return ops != NULL ? ops->decode(decode, ret_n, err) : unknown(decode->codec, err);
}

int pack_decode_run(const struct pack_decode *decode, struct hf_err *err)
{
    uint64_t n;
    int r = pack_decode_some(decode, &n, err);

    if (r == 0 && n != decode->n)
        r = hf_err_set(err, EBADMSG, "a compressed stream has %llu bytes, expected %llu", (unsigned long long)n,
                       (unsigned long long)decode->n);
    return r;
}

/* ---- does the encoder make the same bytes? ----------------------------------------------------------------------- */

struct stage_compare {
    const struct pack_search *search;
    size_t at;
    bool differs;
};

static int compare_bytes(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    struct stage_compare *compare = ctx;

    if (n > compare->search->packed_n - compare->at || memcmp(compare->search->packed + compare->at, bytes, n) != 0) {
        compare->differs = true;
        return hf_err_set(err, EBADMSG, "the recompressed bytes differ");
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

/* The setup is not the one; other errors end the search. */
static bool is_refused(const struct stage_compare *compare, int r)
{
    return compare->differs || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL || r == -E2BIG;
}

/* As pack_encoder_starts(), or with `whole` as pack_encoder_makes(). */
static int try_setup(const struct pack_setup *setup, const struct pack_search *search, size_t n, bool whole,
                     struct hf_err *err)
{
    struct stage_compare compare = {search, 0, false};
    const struct pack_sink sink = {&compare, compare_bytes};
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    int r = pack_encoder_new(setup, &sink, &encoder, err);

    if (r == 0)
        r = feed_plain(encoder, search, n, err);
    if (r == 0 && whole)
        r = pack_encoder_finish(encoder, err);
    return is_refused(&compare, r) ? 0 : r < 0 ? r : !whole || compare.at == search->packed_n;
}

int pack_encoder_starts(const struct pack_setup *setup, const struct pack_search *search, size_t n, struct hf_err *err)
{
    return try_setup(setup, search, HF_MIN(n, search->plain_n), false, err);
}

int pack_encoder_makes(const struct pack_setup *setup, const struct pack_search *search, struct hf_err *err)
{
    return try_setup(setup, search, search->plain_n, true, err);
}

/* ---- is it the same library? ------------------------------------------------------------------------------------- */

static int hash_bytes(void *ctx, const void *bytes, size_t n, HF_UNUSED struct hf_err *err)
{
    hf_sha256_update(ctx, bytes, n);
    return 0;
}

int pack_encoder_fingerprint(const struct pack_setup *setup, unsigned char fingerprint[PACK_FINGERPRINT_BYTES],
                             struct hf_err *err)
{
    enum { TEXT_BYTES = 192 << 10 };
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    _cleanup_(hf_freep) unsigned char *text = malloc(TEXT_BYTES);
    struct pack_setup plain = *setup;
    unsigned char digest[HF_SHA256_BYTES];
    struct hf_sha256 hash;
    const struct pack_sink sink = {&hash, hash_bytes};
    uint32_t state = 1;

    if (text == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    plain.marks = NULL;
    plain.marks_n = 0;
    plain.plain_n = TEXT_BYTES;
    hf_sha256_init(&hash);
    /* Words of four bytes out of 512 different ones: many matches, so that encoders differ in their choices. */
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
    memcpy(fingerprint, digest, PACK_FINGERPRINT_BYTES);
    return 0;
}
