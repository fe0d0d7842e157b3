/* rollout/slab.h - memory for very many small pieces, without what malloc() adds to each. Pieces of up to 256 bytes
 * come from blocks of 16 KiB, in steps of 8 bytes; a piece that is given back serves the next one of its size.
 * Blocks are freed only with the slab. Threads: any, one at a time for one slab. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

enum { HF_SLAB_STEP = 8, HF_SLAB_LARGEST = 256 };

struct hf_slab {
    void *blocks; /* all blocks, linked through their first pointer */
    char *at;     /* unused part of the newest block */
    size_t left;
    void *free[HF_SLAB_LARGEST / HF_SLAB_STEP + 1]; /* pieces given back, by size, linked through their first pointer */
    size_t bytes;                                   /* memory of all blocks, and of larger pieces */
};

void hf_slab_done(struct hf_slab *slab);
/* Returns memory for n bytes (n > 0), or NULL. Give it back with the same n. */
void *hf_slab_take(struct hf_slab *slab, size_t n);
void hf_slab_give(struct hf_slab *slab, void *piece, size_t n); /* `piece` may be NULL */
/* Makes room for one more item in an array with n items in use, like hf_array_grow(), but in steps of at most 4096
 * items: a large array has little to spare, and the kernel moves it without copying. Returns 0 or -ENOMEM. */
#define hf_slab_grow(items, n, cap)                                                                                    \
    ({                                                                                                                 \
        void *items_ = (items);                                                                                        \
        int grown_ = hf_slab_grow_bytes(&items_, sizeof(*(items)), (n), &(cap));                                       \
        (items) = items_;                                                                                              \
        grown_;                                                                                                        \
    })
HF_MUST_USE int hf_slab_grow_bytes(void **items, size_t each, size_t n, size_t *cap);

char *hf_slab_text(struct hf_slab *slab, const char *text); /* a copy of the text, or NULL */
