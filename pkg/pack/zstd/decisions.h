/* SPDX-License-Identifier: Apache-2.0 */
/* The codec that stores zstd frames as their encoder's decisions (FORMAT.md, codec 5); plain form: content. A delta's
 * frames share one model, and the decisions of its new frames are one coded part.
 *
 * Memory: 14 MiB for all frames, and up to 34 MiB for content that the open frame looks back to. */
#pragma once

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_zdecisions_ops;

/* A frame that passes pack_zframe_check(), and its content; borrowed. */
struct pack_zpair {
    const unsigned char *packed, *content;
    size_t packed_n, content_n;
};
struct pack_zpairs {
    struct pack_zpair *p;
    size_t n, cap;
};

struct pack_zsearch {
    unsigned workers;
    int (*progress)(void *ctx, uint64_t done, uint64_t total); /* not 0: cancel (-ECANCELED); or NULL */
    void *progress_ctx;
};

void pack_zdecisions_setup(const struct pack_zpair *frame, struct pack_setup *ret_setup);
/* Appends the coded part. *ret_stored: bytes that decoding old frames adds to the store. -E2BIG: too much content. */
HF_MUST_USE int pack_zdecisions_create(const struct pack_zpairs *old, const struct pack_zpairs *new_frames,
                                       const struct pack_zsearch *search, struct hf_buf *out, uint64_t *ret_stored,
                                       struct hf_err *err);
