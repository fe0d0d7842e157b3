/* pack/codec/codec.h - the interface that each compression format implements, and the helpers that all formats share.
 *
 * A codec decodes a compressed stream to its plain form, and encodes the plain form so that the same compressed bytes
 * come out. Decoders pull: they may read the compressed bytes at any offset, and write the plain form in order.
 * Encoders push: the caller feeds the plain form in order, and the encoder writes compressed bytes to a sink.
 * FORMAT.md defines the plain form of each codec.
 *
 * Threads: one thread at a time uses an object. Memory: each codec has an upper bound; above it, -E2BIG with a
 * message. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "delta/delta.h"

/* Receives bytes in order. write() returns 0, or -errno with *err set. */
struct pack_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n, struct hf_err *err);
};

/* Reads the bytes [at, end) of a file in order. Plain value: nothing to free. */
struct pack_reader {
    const struct hf_delta_old *from;
    uint64_t at, end; /* the part of the range that is not in the buffer yet */
    size_t pos, n;    /* unread part of the buffer: [pos, n) */
    unsigned char buffer[16384];
};

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end);
/* Fills the buffer if it is empty. Returns 1, 0 at the end, or -errno. */
HF_MUST_USE int pack_reader_fill(struct pack_reader *reader, struct hf_err *err);
/* Returns the file offset of the next byte. */
uint64_t pack_reader_offset(const struct pack_reader *reader);

/* Numbers of the codecs in the delta format. */
enum pack_codec {
    /* plain form: content. Pack predicts the encoder's choices; the marks of the delta list the exceptions. */
    PACK_CODEC_DEFLATE = 1,
    PACK_CODEC_DEFLATE_TOKENS = 2, /* plain form: content and the encoder's choices */
    PACK_CODEC_XZ = 3,             /* plain form: content. Encoder: liblzma. */
    PACK_CODEC_ZSTD = 4,           /* plain form: content. Encoder: libzstd. */
    PACK_CODEC_END,
};

enum { PACK_PARAMS_MAX = 192 };

/* Codec and parameters of an encoder. Each codec defines its own params. */
struct pack_setup {
    enum pack_codec codec;
    unsigned params_n;
    unsigned char params[PACK_PARAMS_MAX];
    const unsigned char *marks; /* PACK_CODEC_DEFLATE: marks of the tokens that differ from the prediction; borrowed */
    size_t marks_n;
    bool gzip_tail;   /* deflate: the CRC-32 and the length of the content follow the stream, as in a gzip member */
    uint64_t plain_n; /* zstd: the content size that the frame states, if it states one */
};

/* The stream to decode: packed[offset..offset + n). */
struct pack_decode {
    enum pack_codec codec;
    bool gzip_tail; /* deflate: check the CRC-32 and length behind the stream, too */
    const struct hf_delta_old *from;
    uint64_t offset, n;
    struct pack_sink out;
    const atomic_bool *cancel; /* may be NULL */
    uint64_t memory_max;       /* limit of the decoder's memory (-E2BIG above it); 0: only the codec's own limit */
    uint64_t *memory;          /* raised to the number of bytes that decoding needed; may be NULL */
};

/* One codec: make, feed, finish and done are its encoder, in the order of the calls. */
struct pack_codec_ops {
    int (*make)(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err);
    int (*feed)(void *state, const unsigned char *bytes, size_t n, struct hf_err *err);
    int (*finish)(void *state, struct hf_err *err);
    void (*done)(void *state);
    uint64_t (*memory)(const struct pack_setup *setup); /* pack_encoder_memory() */
    /* Decodes one stream of at most decode->n bytes; *ret_n is its length. */
    int (*decode)(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);
    const char *(*version)(void); /* name of the library that determines the output; NULL: no library does */
};

/* Returns NULL for an unknown codec. codecs.c defines this function with all codecs; a program with fewer codecs
 * defines one of its own. */
const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec);

/* ---- for decoders ------------------------------------------------------------------------------------------------ */

/* Reports that the decoder needs `bytes` of memory. -E2BIG: more than decode->memory_max. */
HF_MUST_USE int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err);
/* Call now and then while decoding. -ECANCELED: stop. */
HF_MUST_USE int pack_decode_check_cancel(const struct pack_decode *decode, struct hf_err *err);

/* CRC-32 as gzip computes it; start with crc 0. */
uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n);

/* ---- finding the encoder (when a delta is made) ------------------------------------------------------------------ */

/* A compressed stream and its content, for which xz.h, zst.h and deflate_find.h look for a setup that makes exactly
 * the same compressed bytes. */
struct pack_search {
    const unsigned char *packed, *plain;
    size_t packed_n, plain_n;
    int (*progress)(void *ctx); /* non-zero cancels; may be NULL */
    void *progress_ctx;
    bool quick; /* zstd: consider only levels that compress about as fast as a delta applies */
};
