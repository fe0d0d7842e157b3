/* SPDX-License-Identifier: Apache-2.0 */
/* base/array.h - arrays that grow by doubling, up to a maximum.
 *
 * Threads: any, one at a time for one array. Memory: the caller frees the array with free(). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Value of `max` for an array that needs no maximum, because something else limits its size. */
#define HF_ARRAY_ANY SIZE_MAX

/* Makes sure that the array `items` has memory for at least n + 1 items. The array has `n` items in use and memory for
 * `cap` items. `max` is the largest permitted number of items. `items` and `cap` must be variables of the caller (`cap`
 * unsigned); the macro changes them only on success. Returns 0, -E2BIG (`max` items are in use) or -ENOMEM. */
#define hf_array_grow(items, n, cap, max)                                                                              \
    ({                                                                                                                 \
        void *items_ = (items);                                                                                        \
        size_t cap_ = (cap), max_ = HF_MIN((size_t)(max), (size_t)(__typeof__(cap))-1);                                \
        int grown_ = hf_array_grow_bytes(&items_, sizeof(*(items)), (n), &cap_, max_);                                 \
        (items) = items_;                                                                                              \
        (cap) = (__typeof__(cap))cap_;                                                                                 \
        grown_;                                                                                                        \
    })

/* Does the work of hf_array_grow(). `each` is the size of one item in bytes. */
HF_MUST_USE int hf_array_grow_bytes(void **items, size_t each, size_t n, size_t *cap, size_t max);
