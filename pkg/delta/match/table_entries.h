/* SPDX-License-Identifier: Apache-2.0 */
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

/* Finds an old entry, the partner, for each new entry, and appends to `out` a copy from the partner to the new entry.
 * Makes no copy for a new entry without a partner. If the two entries differ in size, copies at most the first 16
 * bytes. Errors: -ENOMEM.
 *
 * The partner has the same key as the new entry. If several old entries have this key, looks at the first 64 of them.
 * Takes the first of these that comes after the partner of the previous new entry, or else the last of them.
 *
 * In two cases, the partner is instead the old entry that comes next after the partner of the previous new entry: if no
 * old entry has the same key, or if exactly one old entry lies between the partners of the new entry's two
 * neighbours. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);
