/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/copies.h - lists of copies, in the order of the new file.
 *
 * Memory: a list owns its array; free it with delta_copies_done(). After -ENOMEM, the list is still valid, but after a
 * failed delta_copies_replace() it may lack a part of a copy. Threads: a list belongs to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The new bytes [new_pos, new_pos + len) resemble the old bytes from old_pos on. Some of the new bytes may differ from
 * the old bytes. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

/* Appends a copy of n bytes, or extends the last copy of the list if the new copy continues that copy. Errors:
 * -ENOMEM. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* Removes the parts of copies that lie in [from, to) of the new file, and inserts the copies of `inside` there.
 * Errors: -ENOMEM. */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);

/* Finds the first copy that overlaps new[at..end), and sets *ret_copy to the part of the copy in that range. Returns
 * false if no copy overlaps the range. *next keeps the position in the list between calls with ascending `at`; set
 * *next to 0 before the first call. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
