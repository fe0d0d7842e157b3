/* SPDX-License-Identifier: Apache-2.0 */
/* Allocates many small pieces of memory: up to 256 bytes, in steps of 8, in blocks of 16 KiB. Larger pieces come from
 * malloc(): hf_slab_done() does not free them. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

enum { HF_SLAB_STEP = 8, HF_SLAB_LARGEST = 256 };

struct hf_slab {
    void *blocks;
    char *at;
    size_t left;
    void *free[HF_SLAB_LARGEST / HF_SLAB_STEP + 1]; /* returned pieces by size */
    size_t bytes;
};

void hf_slab_done(struct hf_slab *slab);
/* n > 0; a piece goes back with the n that it was taken with. */
void *hf_slab_take(struct hf_slab *slab, size_t n);
void hf_slab_give(struct hf_slab *slab, void *piece, size_t n);
/* As hf_array_grow(), but by at most 4096 items. */
#define hf_slab_grow(items, n, cap)                                                                                    \
    ({                                                                                                                 \
        void *items_ = (items);                                                                                        \
        int grown_ = hf_slab_grow_bytes(&items_, sizeof(*(items)), (n), &(cap));                                       \
        (items) = items_;                                                                                              \
        grown_;                                                                                                        \
    })
HF_MUST_USE int hf_slab_grow_bytes(void **items, size_t each, size_t n, size_t *cap);

char *hf_slab_text(struct hf_slab *slab, const char *text);
