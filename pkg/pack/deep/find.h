/* SPDX-License-Identifier: Apache-2.0 */
/* Finds compressed streams in a file: magic number, successful unpacking, content. Blocks: workers only. Takes the
 * memory of all content. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

#define FIND_PLAIN_MAX ((size_t)3 << 30)

struct found {
    size_t offset, packed_n; /* in the searched bytes */
    enum pack_codec codec;   /* deflate: PACK_CODEC_DEFLATE */
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES]; /* of the compressed bytes */
    struct hf_buf plain;
    uint64_t memory;
    /* deep_create.c's from here on. `keep`: look inside. */
    bool keep;
    struct pack_setup setup;
    unsigned char *marks;
    size_t setup_index;
    struct find_list *inside; /* of the content, or NULL */
};

struct find_list {
    struct found *p;
    size_t n, cap;
    bool in_shared; /* inside a stream that shares state: one is open at a time */
};

void find_list_done(struct find_list *list);
void find_list_free(struct find_list *list);

/* In order, no overlaps. `quick`: zstd only. *left: bytes that contents may still take; shrinks. -E2BIG: too few. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, uint64_t *left,
                             struct find_list *ret_list, struct hf_err *err);
