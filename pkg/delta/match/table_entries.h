/* delta/match/table_entries.h - parts of two tables, paired by what they are about. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delta/match/match.h"

struct delta_table_entry {
    uint64_t offset, key;
    uint32_t size;
    uint32_t index;
};

struct delta_table_entries {
    struct delta_table_entry *p;
    size_t n, cap;
};

/* Both in the order of their offsets. -ENOMEM. */
int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key);
void delta_table_entries_done(struct delta_table_entries *items);

/* Each new item is copied from the old one with its key, of several from the one next in order; where their sizes differ, the first
 * 16 bytes. -ENOMEM. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);

/* Another copy, or more of the last one. -ENOMEM. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* In place of what [from, to) of new was copied from, `inside`. -ENOMEM. */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);
