/* SPDX-License-Identifier: Apache-2.0 */
/* Find the compressed streams in a file: the magic number is in place, unpacking succeeds, and the content is not
 * empty. Blocks: workers only. Takes the memory of all content. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

#define FIND_PLAIN_MAX ((size_t)3 << 30)

struct found {
    size_t offset, packed_n; /* in the bytes that were searched */
    enum pack_codec codec;   /* PACK_CODEC_DEFLATE for all deflate streams */
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES]; /* the compressed bytes' */
    struct hf_buf plain;
    uint64_t memory;
    /* From here on by deep_create.c. `keep`: the delta looks inside. */
    bool keep;
    struct pack_setup setup;
    unsigned char *marks;
    size_t setup_index;
    struct find_list *inside; /* in the content, or NULL */
};

struct find_list {
    struct found *p;
    size_t n, cap;
    bool in_shared; /* inside a stream that shares state: only one is open at a time */
};

void find_list_done(struct find_list *list);
void find_list_free(struct find_list *list);

/* In order, without overlaps. `quick`: only zstd. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, struct find_list *ret_list,
                             struct hf_err *err);
