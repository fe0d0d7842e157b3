/* delta/match/table_entries.h - pair the entries of two tables by their keys: the symbol, function or address that
 * an entry is about. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delta/match/copies.h"

struct delta_table_entry {
    uint64_t offset, key;
    uint32_t size;
    uint32_t index;
};

struct delta_table_entries {
    struct delta_table_entry *p;
    size_t n, cap;
};

/* Appends an entry. Call it in ascending order of offsets, for either table. -ENOMEM. */
int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key);
void delta_table_entries_done(struct delta_table_entries *items);

/* Copies each new entry from the old one with the same key; if there are several, from the next one in order.
 * Entries of different size share the first 16 bytes. -ENOMEM. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);
