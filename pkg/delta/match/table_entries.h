/* delta/match/table_entries.h - pair the entries of two tables by key. The key of an entry stands for the symbol,
 * function or address that the entry describes. */
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

/* Appends an entry. Add the entries of a table in ascending order of their offsets. Errors: -ENOMEM. */
int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key);
void delta_table_entries_done(struct delta_table_entries *items);

/* Appends to `out` a copy for each new entry, from the old entry with the same key. If several old entries have that
 * key, takes the first of them behind the old entry that the previous copy used. A new entry without such an old entry,
 * or a single one out of line with its neighbours, takes the old entry that follows the one of the previous new entry.
 * If the two entries differ in size, copies at most the first 16 bytes. Errors: -ENOMEM. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);
