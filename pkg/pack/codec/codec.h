/* SPDX-License-Identifier: Apache-2.0 */
/* What each compression format implements, and helpers for all.
 *
 * A codec decodes a stream to its plain form (FORMAT.md), and encodes that to exactly the original bytes. Decoders read
 * at any offset and write in order; encoders are fed in order and write to a sink. Threads: one at a time per object.
 * Above the codec's memory limit: -E2BIG (deflate, xz) or -EBADMSG (zstd). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "delta/delta.h"

struct pack_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n, struct hf_err *err);
};

/* Reads a range of a file through a buffer. */
struct pack_reader {
    const struct hf_delta_old *from;
    uint64_t at, end;
    size_t pos, n;
    unsigned char buffer[16384];
};

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end);
/* Fills the buffer if it is empty. 1: it has bytes; 0: end of range or file; or -errno. */
HF_MUST_USE int pack_reader_fill(struct pack_reader *reader, struct hf_err *err);
uint64_t pack_reader_offset(const struct pack_reader *reader);

/* A store of bytes. add() appends bytes at offset *ret_at; pread() returns the bytes read or -errno. */
struct pack_store {
    void *ctx;
    int (*add)(void *ctx, const void *bytes, size_t n, uint64_t *ret_at, struct hf_err *err);
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};
/* Borrows `buf`. */
struct pack_store pack_store_buf(struct hf_buf *buf);

enum pack_codec {
    PACK_CODEC_DEFLATE = 1,
    PACK_CODEC_DEFLATE_TOKENS = 2,
    PACK_CODEC_XZ = 3,
    PACK_CODEC_ZSTD = 4,
    PACK_CODEC_ZSTD_DECISIONS = 5,
    PACK_CODEC_END,
};

enum { PACK_PARAMS_MAX = 192 };

/* How to encode a stream; each codec defines its `params`. */
struct pack_setup {
    enum pack_codec codec;
    unsigned params_n;
    unsigned char params[PACK_PARAMS_MAX];
    const unsigned char *marks;
    size_t marks_n;
    /* deflate: CRC-32 and length follow the stream, as in gzip */
    bool gzip_tail;
    uint64_t plain_n; /* zstd: the content's size, if the frame states it; zstd by decisions: always */
    void *shared;     /* borrowed */
};

/* A stream to decode: it starts at `offset` and has at most n bytes. */
struct pack_decode {
    enum pack_codec codec;
    bool gzip_tail;
    const struct hf_delta_old *from;
    uint64_t offset, n;
    struct pack_sink out;
    const atomic_bool *cancel; /* or NULL */
    uint64_t memory_max;       /* bytes; 0: the codec's limit */
    uint64_t *memory;          /* raised to the bytes that decoding needs; or NULL */
    void *shared;
};

/* State that a delta's streams share. Make it first; then decode old streams, which add to the state; then encode new
 * streams, one at a time, by bytes [at, at + n) of the store. */
struct pack_shared_ops {
    int (*make)(const struct pack_store *store, uint64_t at, uint64_t n, void **ret_shared, struct hf_err *err);
    /* after the last new stream; -EBADMSG: bytes remain */
    int (*finish)(void *shared, struct hf_err *err);
    void (*done)(void *shared);
};

/* To encode: make, feed any number of times, finish, done. */
struct pack_codec_ops {
    int (*make)(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err);
    int (*feed)(void *state, const unsigned char *bytes, size_t n, struct hf_err *err);
    int (*finish)(void *state, struct hf_err *err);
    void (*done)(void *state);
    uint64_t (*memory)(const struct pack_setup *setup);
    int (*decode)(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);
    const char *(*version)(void); /* or NULL */
    const struct pack_shared_ops *shared;
};

/* Returns NULL for an unknown codec. codecs.c knows all codecs; a program with fewer codecs defines this function
 * itself. */
const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec);

/* Decoders call it when they need `bytes` in total. -E2BIG: more than decode->memory_max. */
HF_MUST_USE int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err);
/* Decoders call it now and then. -ECANCELED: stop. */
HF_MUST_USE int pack_decode_check_cancel(const struct pack_decode *decode, struct hf_err *err);

/* Continues gzip's checksum; `crc` begins at 0. */
uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n);

/* What to search: a setup (xz.h, zst.h, deflate_find.h) that makes `packed` from `plain`. */
struct pack_search {
    const unsigned char *packed, *plain;
    size_t packed_n, plain_n;
    int (*progress)(void *ctx); /* not 0: cancel; or NULL */
    void *progress_ctx;
    bool quick;          /* zstd: only levels about as fast as applying */
    uint64_t memory_max; /* zstd: most memory of the encoder beyond the window; 0: any */
};
