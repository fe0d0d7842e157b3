/* SPDX-License-Identifier: Apache-2.0 */
/* New frames' decisions as bits, predicted by those of old ones; one path for both directions: encoding takes the
 * block, decoding fills it.
 *
 * Positions count content: of all old frames, or all new ones. Copies say which new content is old content. Threads:
 * one at a time. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/match/copies.h"
#include "pack/codec/codec.h"
#include "pack/zstd/frame.h"
#include "pack/zstd/places.h"

enum { PACK_ZOLD_PAGE = 1024, PACK_ZOLD_CACHED = 64 };
struct pack_zold_page {
    uint64_t content_at, stored_at; /* its first item's */
};

/* Old frames' sequences. One without a match ends a block. Full pages are in the store. */
struct pack_zold {
    struct pack_store store;
    size_t n;
    struct pack_zold_page *page;
    size_t page_n, page_cap;
    uint64_t content_n;
    uint32_t last[3];                         /* offsets of the frame being added */
    int failed;                               /* first error of reading the store, or 0 */
    size_t cached[PACK_ZOLD_CACHED];          /* page + 1; 0: none */
    uint64_t (*cache)[PACK_ZOLD_PAGE], *tail; /* 520 KiB; the last page */
};
/* 16 bytes of memory per page. */
HF_MUST_USE int pack_zold_open(struct pack_zold *old, const struct pack_store *store);
void pack_zold_done(struct pack_zold *old);
void pack_zold_frame(struct pack_zold *old);
/* The store's errors. */
HF_MUST_USE int pack_zold_add(struct pack_zold *old, const struct pack_zframe_block *block, struct hf_err *err);

struct pack_zmodel;
/* Borrows `old` and `copies`, ascending in new. 0.3 MiB and 4 bytes per copy; 8 MiB with a frame that is not imitated,
 * 0.6 MiB with one that is. */
struct pack_zmodel *pack_zmodel_new(struct pack_zold *old, const struct delta_copies *copies);
void pack_zmodel_free(struct pack_zmodel *model);
/* imitated: its encoder's choices are as pack_zimitate_guess() says; decoding finds it out. cm->failed, -ENOMEM. */
HF_MUST_USE int pack_zmodel_frame(struct pack_zmodel *model, struct delta_cm *cm, uint64_t window_n, bool imitated);

/* The size first, so that the caller can wait for content; then the block. An empty block is the last. cm->failed,
 * old->failed, or -EBADMSG. */
HF_MUST_USE int pack_zmodel_size(struct pack_zmodel *model, struct delta_cm *cm, uint64_t rest,
                                 struct pack_zframe_block *block);
HF_MUST_USE int pack_zmodel_block(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                                  struct pack_zframe_block *block);
