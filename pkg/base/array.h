/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that double their capacity, up to a maximum. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* `max` of an array that something else limits. */
#define HF_ARRAY_ANY SIZE_MAX

/* Makes room for one more item. Changes the variables `items` and `cap` (unsigned) only on success. -E2BIG: `max` items
 * are there. */
#define hf_array_grow(items, n, cap, max)                                                                              \
    ({                                                                                                                 \
        void *items_ = (items);                                                                                        \
        size_t cap_ = (cap), max_ = HF_MIN((size_t)(max), (size_t)(__typeof__(cap))-1);                                \
        int grown_ = hf_array_grow_bytes(&items_, sizeof(*(items)), (n), &cap_, max_);                                 \
        (items) = items_;                                                                                              \
        (cap) = (__typeof__(cap))cap_;                                                                                 \
        grown_;                                                                                                        \
    })

HF_MUST_USE int hf_array_grow_bytes(void **items, size_t each, size_t n, size_t *cap, size_t max);

/* Comparisons for qsort() and bsearch(). Items begin with a pointer to a string or, for by_text, with the string
 * itself. */
int hf_array_by_string(const void *a, const void *b);
int hf_array_by_text(const void *a, const void *b);

/* Index `i` of the first of `n` items for which the expression `below` is false; `n` if there is none. Items for which
 * it is true must come first. */
#define hf_array_lower_bound(i, n, below)                                                                              \
    ({                                                                                                                 \
        size_t low_ = 0, high_ = (n);                                                                                  \
        while (low_ < high_) {                                                                                         \
            size_t i = low_ + (high_ - low_) / 2;                                                                      \
            if (below)                                                                                                 \
                low_ = i + 1;                                                                                          \
            else                                                                                                       \
                high_ = i;                                                                                             \
        }                                                                                                              \
        low_;                                                                                                          \
    })
