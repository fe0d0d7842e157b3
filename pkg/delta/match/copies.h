/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of copies, in the new file's order. Valid after -ENOMEM, but delta_copies_replace() may lose a copy's part. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Similar bytes; some may differ. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

/* Adds a copy, or extends the last one. */
int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n);
/* Replaces the new file's [from, to). */
int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside);

/* The part of the first copy in new[at..end). *next is 0 first and kept between calls with ascending `at`. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
