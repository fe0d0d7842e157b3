/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384, LINK = 8, LEAST = 16, MOST = 4096 };

static size_t class_of(size_t n)
{
    return (n + HF_SLAB_STEP - 1) / HF_SLAB_STEP;
}

void hf_slab_done(struct hf_slab *slab)
{
    for (void *block = slab->blocks, *next; block != NULL; block = next) {
        memcpy(&next, block, sizeof(next));
        free(block);
    }
    *slab = (struct hf_slab){0};
}

static int new_block(struct hf_slab *slab)
{
    char *block = malloc(BLOCK);

    if (block == NULL)
        return -1;
    memcpy(block, &slab->blocks, sizeof(slab->blocks));
    slab->blocks = block;
    slab->at = block + LINK;
    slab->left = BLOCK - LINK;
    slab->bytes += BLOCK;
    return 0;
}

void *hf_slab_take(struct hf_slab *slab, size_t n)
{
    size_t class_ = class_of(n), size = class_ * HF_SLAB_STEP;
    void *piece;

    if (n > HF_SLAB_LARGEST) {
        piece = malloc(n);
        slab->bytes += piece != NULL ? n : 0;
        return piece;
    }
    piece = slab->free[class_];
    if (piece != NULL) {
        memcpy(&slab->free[class_], piece, sizeof(slab->free[class_]));
        return piece;
    }
    if (slab->left < size && new_block(slab) < 0)
        return NULL;
    piece = slab->at;
    slab->at += size;
    slab->left -= size;
    return piece;
}

void hf_slab_give(struct hf_slab *slab, void *piece, size_t n)
{
    if (piece == NULL)
        return;
    if (n > HF_SLAB_LARGEST) {
        slab->bytes -= n;
        free(piece);
        return;
    }
    memcpy(piece, &slab->free[class_of(n)], sizeof(slab->free[0]));
    slab->free[class_of(n)] = piece;
}

char *hf_slab_text(struct hf_slab *slab, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = hf_slab_take(slab, n);

    return copy == NULL ? NULL : memcpy(copy, text, n);
}

int hf_slab_grow_bytes(void **items, size_t each, size_t n, size_t *cap)
{
    size_t wanted = *cap + HF_MAX((size_t)LEAST, HF_MIN(*cap, (size_t)MOST));
    void *grown;

    if (n < *cap)
        return 0;
    grown = realloc(*items, each * wanted);
    if (grown == NULL)
        return -ENOMEM;
    *items = grown;
    *cap = wanted;
    return 0;
}
