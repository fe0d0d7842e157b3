/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs entries of two tables, mostly by a key (symbol, function or address). */
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

/* Call in ascending order of offsets. */
int delta_table_entries_add(struct delta_table_entries *items, uint64_t offset, uint32_t size, uint64_t key);
void delta_table_entries_done(struct delta_table_entries *items);

/* Adds a copy for each new entry with a partner: of at most 16 bytes if the sizes of the two differ. */
int delta_table_entries_match(const struct delta_table_entries *old, const struct delta_table_entries *new_items,
                              struct delta_copies *out);
