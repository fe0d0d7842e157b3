/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/slab.h - memory for very many small pieces, without malloc()'s overhead for each. Pieces of up to 256 bytes
 * come from blocks of 16 KiB; their size is rounded up to a multiple of 8 bytes, and a returned piece is used again for
 * that size. Larger pieces come from malloc(). hf_slab_done() frees the blocks, but not the larger pieces: return the
 * larger pieces before that call. Threads: any, one at a time for one slab. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

enum { HF_SLAB_STEP = 8, HF_SLAB_LARGEST = 256 };

struct hf_slab {
    void *blocks; /* all blocks, linked through their first pointer */
    char *at;     /* unused part of the newest block */
    size_t left;  /* number of unused bytes at `at` */
    /* lists of returned pieces by size, linked through their first pointer */
    void *free[HF_SLAB_LARGEST / HF_SLAB_STEP + 1];
    size_t bytes; /* memory of all blocks, and of larger pieces */
};

void hf_slab_done(struct hf_slab *slab);
/* Returns memory for n bytes (n > 0), or NULL. Give the memory back with the same n. */
void *hf_slab_take(struct hf_slab *slab, size_t n);
void hf_slab_give(struct hf_slab *slab, void *piece, size_t n); /* `piece` may be NULL */
/* Makes sure that an array with n items in use has memory for one more item, like hf_array_grow(). Grows by at most
 * 4096 items at once, so that a large array wastes little memory. Returns 0 or -ENOMEM. */
#define hf_slab_grow(items, n, cap)                                                                                    \
    ({                                                                                                                 \
        void *items_ = (items);                                                                                        \
        int grown_ = hf_slab_grow_bytes(&items_, sizeof(*(items)), (n), &(cap));                                       \
        (items) = items_;                                                                                              \
        grown_;                                                                                                        \
    })
HF_MUST_USE int hf_slab_grow_bytes(void **items, size_t each, size_t n, size_t *cap);

char *hf_slab_text(struct hf_slab *slab, const char *text); /* returns a copy of the text, or NULL */
