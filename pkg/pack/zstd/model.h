/* SPDX-License-Identifier: Apache-2.0 */
/* Codes new frames' decisions as bits, predicted by those of old frames; one path for both directions.
 *
 * Positions count the content of all old frames, or of all new ones. Copies say which new content is old content.
 * Threads: one at a time. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/match/copies.h"
#include "pack/codec/codec.h"
#include "pack/zstd/frame.h"
#include "pack/zstd/places.h"

enum { PACK_ZOLD_PAGE = 1024, PACK_ZOLD_CACHED = 64 };
struct pack_zold_page {
    uint64_t content_at, stored_at;
};

/* Old frames' sequences, in pages; full pages are in the store. A sequence without a match ends a block. */
struct pack_zold {
    struct pack_store store;
    size_t n;
    struct pack_zold_page *page;
    size_t page_n, page_cap;
    uint64_t content_n;
    uint32_t last[3];
    int failed;
    size_t cached[PACK_ZOLD_CACHED]; /* page + 1; 0: none */
    uint64_t (*cache)[PACK_ZOLD_PAGE], *tail;
};
HF_MUST_USE int pack_zold_open(struct pack_zold *old, const struct pack_store *store);
void pack_zold_done(struct pack_zold *old);
void pack_zold_frame(struct pack_zold *old);
/* Fails with the store's errors or -ENOMEM. */
HF_MUST_USE int pack_zold_add(struct pack_zold *old, const struct pack_zframe_block *block, struct hf_err *err);

struct pack_zmodel;
/* Borrows `old` and `copies`, which ascend in new content. */
struct pack_zmodel *pack_zmodel_new(struct pack_zold *old, const struct delta_copies *copies);
void pack_zmodel_free(struct pack_zmodel *model);
/* imitated: pack_zimitate_guess() predicts this encoder; ignored when decoding. Fails with cm->failed or -ENOMEM. */
HF_MUST_USE int pack_zmodel_frame(struct pack_zmodel *model, struct delta_cm *cm, uint64_t window_n, bool imitated);

/* Code a block's size first, so that the caller can wait for content; then the block. An empty block is the last.
 * Errors: cm->failed, old->failed, -EBADMSG. */
HF_MUST_USE int pack_zmodel_size(struct pack_zmodel *model, struct delta_cm *cm, uint64_t rest,
                                 struct pack_zframe_block *block);
HF_MUST_USE int pack_zmodel_block(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                                  struct pack_zframe_block *block);
