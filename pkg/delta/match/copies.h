/* delta/match/copies.h - lists of copies, in the order of the new file.
 *
 * Memory: a list owns its array; free it with delta_copies_done(). Errors: -ENOMEM, and the list keeps its entries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* new[new_pos..new_pos+len) looks like old[old_pos..); not all bytes need be equal. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

/* Another copy, or more of the last one. -ENOMEM. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* In place of what [from, to) of new was copied from, `inside`. -ENOMEM. */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);

/* The next copy that reaches into [at, end), cut to it; *next is where to look on (0 at first). False: there is none. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
