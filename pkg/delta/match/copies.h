/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of copies, in the order of the new file. After -ENOMEM a list is valid, but delta_copies_replace() may lose a
 * part of a copy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Ranges of similar bytes in both files; some bytes may differ. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);

/* Returns whether a copy reaches into new[at..end), and that part of the first one. *next: 0 at first, kept while `at`
 * ascends. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
