/* SPDX-License-Identifier: Apache-2.0 */
/* pack/codec/codec.h - the interface that each compression format implements, and the helpers that all formats share.
 *
 * A codec decodes a compressed stream to its plain form, and encodes the plain form to exactly the original
 * compressed bytes. Decoders pull: a decoder may read the compressed bytes at any offset, and writes the plain form
 * in order. Encoders push: the caller feeds the plain form in order, and the encoder writes compressed bytes to a
 * sink. FORMAT.md defines the plain form of each codec.
 *
 * Threads: one thread at a time uses an object. Memory: each codec has an upper limit. A stream that needs more memory
 * fails: with -E2BIG for deflate and xz, with -EBADMSG for zstd. */
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

/* Reads a range of a file in order, through a buffer. A reader owns no memory. */
struct pack_reader {
    const struct hf_delta_old *from;
    uint64_t at, end; /* file offsets; the bytes from `at` to `end` (exclusive) are not in the buffer yet */
    size_t pos, n;    /* the buffer has n bytes; those from index `pos` on are unread */
    unsigned char buffer[16384];
};

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end);
/* Fills the buffer if it is empty. Returns 1 if the buffer has bytes, 0 at the end of the range or file, or
 * -errno. */
HF_MUST_USE int pack_reader_fill(struct pack_reader *reader, struct hf_err *err);
/* Returns the file offset of the next byte. */
uint64_t pack_reader_offset(const struct pack_reader *reader);

/* Numbers of the codecs in the delta format. */
enum pack_codec {
    /* The plain form is the content. The creator of a delta and the node that applies it make the same prediction of
     * the original encoder's choices. The delta contains marks, which record the choices that differ from this
     * prediction. */
    PACK_CODEC_DEFLATE = 1,
    PACK_CODEC_DEFLATE_TOKENS = 2, /* the plain form is the content and the original encoder's choices */
    PACK_CODEC_XZ = 3,             /* the plain form is the content; the encoder is liblzma */
    PACK_CODEC_ZSTD = 4,           /* the plain form is the content; the encoder is libzstd */
    PACK_CODEC_END,
};

enum { PACK_PARAMS_MAX = 192 };

/* Codec and parameters of an encoder. Each codec defines the layout of `params`. */
struct pack_setup {
    enum pack_codec codec;
    unsigned params_n;
    unsigned char params[PACK_PARAMS_MAX];
    /* for PACK_CODEC_DEFLATE only: marks of the tokens that differ from the prediction; borrowed */
    const unsigned char *marks;
    size_t marks_n;
    /* for deflate: true if the CRC-32 and the length of the content follow the stream, as in a gzip member */
    bool gzip_tail;
    uint64_t plain_n; /* for zstd: the content size that the frame states, if the frame states one */
};

/* The stream to decode. It starts at `offset` of the file `from` and has at most n bytes. */
struct pack_decode {
    enum pack_codec codec;
    bool gzip_tail; /* for deflate: true to also check the CRC-32 and the length that follow the stream */
    const struct hf_delta_old *from;
    uint64_t offset, n;
    struct pack_sink out;
    const atomic_bool *cancel; /* cancel flag, which the caller may set at any time; may be NULL */
    uint64_t memory_max;       /* limit of the decoder's memory in bytes (0 means only the codec's own limit) */
    /* if not NULL: if decoding needs more than *memory bytes of memory, it raises *memory to the number that it
     * needs */
    uint64_t *memory;
};

/* The functions of one codec. To encode, call make, then feed any number of times, then finish, then done. */
struct pack_codec_ops {
    int (*make)(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err);
    int (*feed)(void *state, const unsigned char *bytes, size_t n, struct hf_err *err);
    int (*finish)(void *state, struct hf_err *err);
    void (*done)(void *state);
    uint64_t (*memory)(const struct pack_setup *setup); /* implements pack_encoder_memory() */
    /* Decodes one stream of at most decode->n bytes; *ret_n is its length. */
    int (*decode)(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);
    const char *(*version)(void); /* implements pack_codec_version(); may be NULL */
};

/* Returns the functions of a codec, or NULL for an unknown codec. codecs.c defines this function with all codecs; a
 * program with fewer codecs defines its own version. */
const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec);

/* ---- for decoders ------------------------------------------------------------------------------------------------ */

/* Call when the decoder needs `bytes` bytes of memory in total. -E2BIG: `bytes` is more than decode->memory_max. */
HF_MUST_USE int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err);
/* Call now and then while decoding. -ECANCELED: the caller has set the cancel flag; stop. */
HF_MUST_USE int pack_decode_check_cancel(const struct pack_decode *decode, struct hf_err *err);

/* Continues a CRC-32 as gzip computes it. `crc` is the CRC-32 of all bytes before bytes[0..n), or 0 if there are none.
 * Returns the CRC-32 including bytes[0..n). */
uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n);

/* ---- finding the encoder (when a delta is made) ------------------------------------------------------------------ */

/* A compressed stream and its content. The functions of xz.h, zst.h and deflate_find.h search for a setup with which
 * the encoder turns `plain` into exactly `packed`. */
struct pack_search {
    const unsigned char *packed, *plain;
    size_t packed_n, plain_n;
    int (*progress)(void *ctx); /* a non-zero result cancels; may be NULL */
    void *progress_ctx;
    bool quick; /* for zstd: true to try only levels with which compressing takes about as long as applying a delta */
};
