/* SPDX-License-Identifier: Apache-2.0 */
/* Prune copies that cost more than they save: each takes space in the delta, and other copies nearby may serve as
 * well. */
#include "delta/prune_copies.h"

#include "delta/match/extend.h"

enum { WORTH_MIN = 90, EQUAL_WORTH = 3 };

/* Returns the worth of a copy: equal bytes, without references, count for it, and all bytes against it, since the
 * delta must encode differences too. */
static int64_t worth_of(const struct delta_copy *copy, const unsigned char *old, const unsigned char *new_bytes)
{
    int64_t equal = (int64_t)delta_count_equal(old + copy->old_pos, new_bytes + copy->new_pos, (size_t)copy->len);

    return EQUAL_WORTH * equal - (int64_t)copy->len;
}

void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes)
{
    size_t kept = 0;

    for (size_t i = 0; i < copies->n; i++)
        if (copies->p[i].len >= 4 * WORTH_MIN || worth_of(&copies->p[i], old, new_bytes) >= WORTH_MIN)
            copies->p[kept++] = copies->p[i];
    copies->n = kept;
}
