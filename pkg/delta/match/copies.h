/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of copies, in the order of the new file. Valid after -ENOMEM, but after delta_copies_replace() a part of a copy
 * may be missing. Threads: one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The new bytes resemble the old ones; some may differ. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

/* Adds, or extends the last one if this continues it. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* Replaces what lies in [from, to) of the new file by `inside`. */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);

/* The part of the first copy in new[at..end). *next is 0 first and kept between calls with ascending `at`. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
