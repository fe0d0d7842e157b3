/* pack/deep/find.h - compressed streams in bytes: found by what they begin with, proven by being unpacked.
 *
 * Worker threads and command lines only: everything is in memory. */
#pragma once

#include "base/buf.h"
#include "pack/codec/stage.h"

enum { FIND_MIN = 64 /* packed bytes below which nothing is gained */ };
#define FIND_PLAIN_MAX ((size_t)3 << 30)

struct found {
    size_t offset, packed_n; /* in what it was found in */
    enum pack_codec codec;   /* DEFLATE: what it is, not yet how it will be put together */
    bool gzip_tail;
    unsigned char sha256[HF_SHA256_BYTES]; /* of the packed bytes */
    struct hf_buf plain;
    uint64_t memory; /* unpacking took so much */
    /* when a delta is made: */
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

/* All streams in bytes[0..n) that do not overlap, in order; `quick`: only those of codecs that are quick. */
HF_MUST_USE int find_streams(const unsigned char *bytes, size_t n, bool quick, struct find_list *ret_list,
                             struct hf_err *err);
