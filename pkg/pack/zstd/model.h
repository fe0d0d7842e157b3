/* SPDX-License-Identifier: Apache-2.0 */
/* pack/zstd/model.h - decisions of new frames as bits, predicted from those of old ones. One code path for both
 * directions: encoding takes the block, decoding fills it.
 *
 * Positions count content bytes: those of all old frames one after the other, and those of all new ones. Copies say
 * which content of new is content of old. Threads: one at a time. */
#pragma once

#include "delta/cm/cm.h"
#include "delta/match/copies.h"
#include "pack/zstd/frame.h"

/* The sequences of old frames, in order. Those without a match end blocks. */
struct pack_zold {
    uint64_t *item;
    size_t n, cap;
    uint64_t *page; /* content position of each PACK_ZOLD_PAGE-th item */
    size_t page_n, page_cap;
    uint64_t content_n;
    uint32_t last[3]; /* offsets, of the frame that is added */
};
enum { PACK_ZOLD_PAGE = 1024 };
void pack_zold_done(struct pack_zold *old);
void pack_zold_frame(struct pack_zold *old);
HF_MUST_USE int pack_zold_add(struct pack_zold *old, const struct pack_zframe_block *block);

struct pack_zmodel;
/* Borrows `old` and `copies`, which ascend in new. 20.3 MiB and 4 bytes for each copy. NULL: out of memory. */
struct pack_zmodel *pack_zmodel_new(const struct pack_zold *old, const struct delta_copies *copies);
void pack_zmodel_free(struct pack_zmodel *model);
void pack_zmodel_frame(struct pack_zmodel *model);

/* The content of the new frame: `all` bytes before and in the block, of which the last content_n are the block's. */
struct pack_zcontent {
    const unsigned char *p; /* the block's first byte; p[-before..rest) can be read */
    size_t before;
    uint64_t rest; /* bytes of the frame from p on */
    uint64_t at;   /* position of p in new */
};

/* First the size, so that the caller can wait for the content; then what is in the block. cm->failed, or -EBADMSG. */
HF_MUST_USE int pack_zmodel_size(struct pack_zmodel *model, struct delta_cm *cm, uint64_t rest,
                                 struct pack_zframe_block *block);
HF_MUST_USE int pack_zmodel_block(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                                  struct pack_zframe_block *block);
