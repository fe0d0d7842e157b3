/* pack/deep/find.h - find the compressed streams in a file: by their magic number, confirmed by unpacking them.
 *
 * Blocks, and keeps everything in memory: worker threads and command lines only. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

enum { FIND_MIN = 64 /* minimum of compressed bytes: a shorter stream gains nothing */ };
#define FIND_PLAIN_MAX ((size_t)3 << 30)

/* One stream. */
struct found {
    size_t offset, packed_n; /* position in the bytes that hold the stream */
    enum pack_codec codec;   /* a deflate stream has codec DEFLATE here, even if DEFLATE_TOKENS will encode it */
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES]; /* hash of the compressed bytes */
    struct hf_buf plain;
    uint64_t memory; /* bytes of memory that unpacking needed */
    /* deep_create.c sets these. keep: the delta looks inside this stream. */
    bool keep;
    struct pack_setup setup;
    unsigned char *marks;
    size_t setup_index;
    struct find_list *inside;
};

struct find_list {
    struct found *p;
    size_t n, cap;
};

void find_list_done(struct find_list *list);
void find_list_free(struct find_list *list);

/* Finds all streams in bytes[0..n), in order and without overlaps; `quick`: only zstd, which compresses quickly. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, struct find_list *ret_list,
                             struct hf_err *err);
