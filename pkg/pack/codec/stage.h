/* pack/codec/stage.h - one compressed form taken apart, or put together again bit for bit: what all of them share.
 *
 * Taking apart pulls (the packed bytes can be read at any place) and hands out the plain form in order; putting together is fed
 * the plain form in order and pushes packed bytes on. FORMAT.md says what the plain form of each number is. Memory is bounded by
 * each stage; -E2BIG by name above the bound. Threads: one at a time. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "delta/delta.h"

/* Where bytes go in order: 0 or -errno with *err. */
struct pack_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n, struct hf_err *err);
};

/* Bytes of a file from `at` to `end`, in order. Plain value. */
struct pack_reader {
    const struct hf_delta_old *from;
    uint64_t at, end; /* of what is not in the buffer yet */
    size_t pos, n;
    unsigned char buffer[16384];
};

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end);
/* Make buffer[pos..n) not empty. 1, 0 at the end, -errno. */
HF_MUST_USE int pack_reader_fill(struct pack_reader *reader, struct hf_err *err);
/* Position of the next byte. */
uint64_t pack_reader_tell(const struct pack_reader *reader);

enum pack_codec {
    PACK_CODEC_DEFLATE = 1,        /* plain form: content; encoder predicted, exceptions listed */
    PACK_CODEC_DEFLATE_TOKENS = 2, /* plain form: content with what the encoder chose */
    PACK_CODEC_XZ = 3,             /* plain form: content; liblzma */
    PACK_CODEC_ZSTD = 4,           /* plain form: content; libzstd */
    PACK_CODEC_END,
};

enum { PACK_PARAMS_MAX = 192 };

/* How a stage is to be set up; the meaning of params is the codec's. */
struct pack_setup {
    enum pack_codec codec;
    unsigned params_n;
    unsigned char params[PACK_PARAMS_MAX];
    const unsigned char *marks; /* PACK_CODEC_DEFLATE: exceptions, borrowed */
    size_t marks_n;
    bool gzip_tail;   /* deflate: CRC-32 and length follow the stream, as in a gzip member */
    uint64_t plain_n; /* zstd that states its content's size: that size */
};

/* Putting together. */
struct pack_encoder;
HF_MUST_USE int pack_encoder_new(const struct pack_setup *setup, const struct pack_sink *out,
                                 struct pack_encoder **ret_encoder, struct hf_err *err);
HF_MUST_USE int pack_encoder_feed(struct pack_encoder *encoder, const void *bytes, size_t n, struct hf_err *err);
/* No more is fed: everything is pushed on. */
HF_MUST_USE int pack_encoder_finish(struct pack_encoder *encoder, struct hf_err *err);
void pack_encoder_free(struct pack_encoder *encoder);
HF_DEFINE_CLEANUP(struct pack_encoder, pack_encoder_free)

/* Bytes an encoder so set up needs, an upper bound; UINT64_MAX: it cannot be made. */
uint64_t pack_encoder_memory(const struct pack_setup *setup);

/* Taking apart: all of packed[offset..offset + n), which must be exactly one stream (with its tail). -EBADMSG. */
struct pack_decode {
    enum pack_codec codec;
    bool gzip_tail;
    const struct hf_delta_old *from;
    uint64_t offset, n;
    struct pack_sink out;
    const atomic_bool *cancel; /* may be NULL */
    uint64_t memory_max;       /* -E2BIG when more is needed; 0: no limit but the codec's own */
    uint64_t *memory;          /* raised to what was needed; may be NULL */
};
HF_MUST_USE int pack_decode_run(const struct pack_decode *decode, struct hf_err *err);
/* The same where n is not known, but at most decode->n: also says where the stream ended. */
HF_MUST_USE int pack_decode_some(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

/* ---- what each codec gives --------------------------------------------------------------------------------------- */

struct pack_encoder_ops {
    int (*make)(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err);
    int (*feed)(void *state, const unsigned char *bytes, size_t n, struct hf_err *err);
    int (*finish)(void *state, struct hf_err *err);
    void (*done)(void *state);
    uint64_t (*memory)(const struct pack_setup *setup);
    int (*decode)(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);
    const char *(*version)(void); /* of the library whose output matters; NULL: none does */
};
HF_MUST_USE int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);
extern const struct pack_encoder_ops pack_deflate_ops, pack_tokens_ops, pack_xz_ops, pack_zstd_ops;
/* codecs.c, or what the program has in its place; NULL: not known. */
const struct pack_encoder_ops *pack_codec_ops(enum pack_codec codec);

/* The library a codec's packed bytes depend on, as "liblzma 5.4.1"; NULL: they depend on none. */
const char *pack_codec_version(enum pack_codec codec);

enum { PACK_PRINT_BYTES = 8 };
/* The first bytes of the SHA-256 of what an encoder so set up makes of a fixed text: two libraries that give the same are taken
 * for the same. */
HF_MUST_USE int pack_encoder_print(const struct pack_setup *setup, unsigned char print[PACK_PRINT_BYTES],
                                   struct hf_err *err);

/* What a decoder tells of its memory. */
HF_MUST_USE int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err);
/* Asked by a decoder from time to time: is what it makes still wanted? -ECANCELED: no. */
HF_MUST_USE int pack_decode_wanted(const struct pack_decode *decode, struct hf_err *err);

/* ---- finding the set-up (when a delta is made) ------------------------------------------------------------------- */

/* A set-up that makes packed[0..packed_n) of plain[0..plain_n) exactly; `extra` (caller frees) may hold marks. -ENOENT: none. */
struct pack_search {
    const unsigned char *packed, *plain;
    size_t packed_n, plain_n;
    int (*progress)(void *ctx); /* non-zero cancels; may be NULL */
    void *progress_ctx;
    bool quick; /* zstd: only set-ups that pack as quickly as a delta is applied */
};
HF_MUST_USE int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
HF_MUST_USE int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
/* plain: the content. *ret_marks (caller frees) goes with the set-up. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);

/* Does a deflate stream look as if pack_deflate_find() would find something? -ENOENT: no. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);

/* Does the encoder make exactly the packed bytes? 1 yes, 0 no, -errno. */
HF_MUST_USE int pack_encoder_makes(const struct pack_setup *setup, const struct pack_search *search,
                                   struct hf_err *err);

/* What it has put out once it was given n bytes of plain: the same as packed begins with? 1 yes or nothing yet, 0 no, -errno. */
HF_MUST_USE int pack_encoder_starts(const struct pack_setup *setup, const struct pack_search *search, size_t n,
                                    struct hf_err *err);

uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n);
