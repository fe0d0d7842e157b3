/* delta/match/items.h - parts of two tables, paired by what they are about. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delta/match/match.h"

struct delta_item {
    uint64_t offset, key;
    uint32_t size;
    uint32_t index;
};

struct delta_items {
    struct delta_item *p;
    size_t n, cap;
};

/* Both in the order of their offsets. -ENOMEM. */
int delta_items_add(struct delta_items *items, uint64_t offset, uint32_t size, uint64_t key);
void delta_items_done(struct delta_items *items);

/* Each new item is copied from the old one with its key, of several from the one next in order; where their sizes differ, the first
 * 16 bytes. -ENOMEM. */
int delta_items_match(const struct delta_items *old, const struct delta_items *new_items, struct delta_copies *out);

/* Another copy, or more of the last one. -ENOMEM. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* In place of what [from, to) of new was copied from, `inside`. -ENOMEM. */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);
