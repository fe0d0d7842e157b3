/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/copies.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/macros.h"

void delta_copies_done(struct delta_copies *copies)
{
    free(copies->p);
    *copies = (struct delta_copies){0};
}

int delta_copies_add(struct delta_copies *copies, struct delta_copy copy)
{
    if (hf_array_grow(copies->p, copies->n, copies->cap, HF_ARRAY_ANY) < 0)
        return -ENOMEM;
    copies->p[copies->n++] = copy;
    return 0;
}

int delta_copies_extend(struct delta_copies *copies, uint64_t new_pos, uint64_t old_pos, uint64_t n)
{
    struct delta_copy *last = copies->n > 0 ? &copies->p[copies->n - 1] : NULL;

    if (last != NULL && last->new_pos + last->len == new_pos && last->old_pos + last->len == old_pos) {
        last->len += n;
        return 0;
    }
    return delta_copies_add(copies, (struct delta_copy){new_pos, old_pos, n});
}

int delta_copies_replace(struct delta_copies *copies, uint64_t from, uint64_t to, const struct delta_copies *inside)
{
    struct delta_copies out = {0};
    size_t i = 0;
    int r = 0;

    for (; r == 0 && i < copies->n && copies->p[i].new_pos < from; i++) {
        struct delta_copy c = copies->p[i];
        if (c.new_pos + c.len > to) { /* extends beyond the range: split it */
            struct delta_copy behind = {to, c.old_pos + (to - c.new_pos), c.new_pos + c.len - to};
            copies->p[i] = behind;
            c.len = from - c.new_pos;
            r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
            break;
        }
        c.len = HF_MIN(c.len, from - c.new_pos);
        r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
    }
    for (size_t k = 0; r == 0 && k < inside->n; k++)
        r = delta_copies_extend(&out, inside->p[k].new_pos, inside->p[k].old_pos, inside->p[k].len);
    for (; r == 0 && i < copies->n; i++) {
        struct delta_copy c = copies->p[i];
        if (c.new_pos + c.len <= to)
            continue;
        if (c.new_pos < to) {
            c.old_pos += to - c.new_pos;
            c.len -= to - c.new_pos;
            c.new_pos = to;
        }
        r = delta_copies_extend(&out, c.new_pos, c.old_pos, c.len);
    }
    if (r == 0) {
        delta_copies_done(copies);
        *copies = out;
    } else {
        delta_copies_done(&out);
    }
    return r;
}

bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t gap_end,
                              struct delta_copy *ret_copy)
{
    while (*next < copies->n && copies->p[*next].new_pos + copies->p[*next].len <= at)
        (*next)++;
    if (*next == copies->n || copies->p[*next].new_pos >= gap_end)
        return false;
    *ret_copy = copies->p[*next];
    if (ret_copy->new_pos < at) {
        ret_copy->len -= at - ret_copy->new_pos;
        ret_copy->old_pos += at - ret_copy->new_pos;
        ret_copy->new_pos = at;
    }
    ret_copy->len = HF_MIN(ret_copy->len, gap_end - ret_copy->new_pos);
    return true;
}
