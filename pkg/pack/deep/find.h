/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deep/find.h - find the compressed streams in a file. A stream counts if the magic number of its format is in the
 * right place (for gzip and zip: in the header before the deflate stream), if unpacking succeeds, and if the content is
 * not empty.
 *
 * The functions block: call them only on worker threads or in command-line programs. Memory: the content of all
 * streams. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

enum { FIND_MIN = 64 /* minimum size of a stream in compressed bytes; unpacking a shorter stream saves nothing */ };
#define FIND_PLAIN_MAX ((size_t)3 << 30)

/* One compressed stream. */
struct found {
    size_t offset, packed_n; /* offset and size of the stream in the bytes that hold the stream */
    /* PACK_CODEC_DEFLATE for all deflate streams, also for those that codec DEFLATE_TOKENS will encode */
    enum pack_codec codec;
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES]; /* hash of the compressed bytes */
    struct hf_buf plain;
    uint64_t memory; /* bytes of memory that unpacking needed */
    /* deep_create.c sets the fields from here on. `keep` is true if the delta looks inside this stream. */
    bool keep;
    struct pack_setup setup;
    unsigned char *marks;
    size_t setup_index;
    struct find_list *inside; /* streams inside the content, or NULL */
};

struct find_list {
    struct found *p;
    size_t n, cap;
};

void find_list_done(struct find_list *list);
void find_list_free(struct find_list *list);

/* Finds all streams in bytes[0..n), in order and without overlaps. If `quick` is true, finds only zstd streams. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, struct find_list *ret_list,
                             struct hf_err *err);
