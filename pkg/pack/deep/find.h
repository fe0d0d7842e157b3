/* SPDX-License-Identifier: Apache-2.0 */
/* Finds compressed streams in a file by their magic numbers, and unpacks them. Holds all contents in memory. Blocks:
 * workers only. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

#define FIND_PLAIN_MAX ((size_t)3 << 30)

struct found {
    size_t offset, packed_n;
    enum pack_codec codec;
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES];
    struct hf_buf plain;
    uint64_t memory;
    /* Set by deep_create.c from here on. `keep`: look inside. */
    bool keep;
    struct pack_setup setup;
    unsigned char *marks;
    size_t setup_index;
    struct find_list *inside;
};

struct find_list {
    struct found *p;
    size_t n, cap;
    bool in_shared; /* the list is inside a stream that shares state; of such streams only one may be open */
};

void find_list_done(struct find_list *list);
void find_list_free(struct find_list *list);

/* Finds streams, in order and without overlaps. `quick`: zstd only. *left: how many bytes contents may still take; it
 * shrinks. -E2BIG: *left is too little. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, uint64_t *left,
                             struct find_list *ret_list, struct hf_err *err);
