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

/* Pairs each new entry with an old entry of the same key, and appends to `out` a copy from the old entry to the new
 * one. If several old entries have the key, looks at the first 64 of them and prefers the first that comes after the
 * previous new entry's partner. Some new entries take the old entry after the previous new entry's partner instead.
 * These are new entries without an old entry of the same key, and a single new entry if exactly one old entry lies
 * between the partners of its two neighbours. If the two entries differ in size, copies at most the first 16 bytes.
 * Leaves out new entries without a partner. Errors: -ENOMEM. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);
