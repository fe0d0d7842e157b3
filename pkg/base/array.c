/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 8 };

int hf_array_grow_bytes(void **items, size_t each, size_t n, size_t *cap, size_t max)
{
    size_t bytes, more = *cap == 0 ? FIRST_CAP : *cap > max / 2 ? max : 2 * *cap;

    if (n < *cap)
        return 0;
    if (n >= max)
        return -E2BIG;
    more = HF_MIN(more, max);
    if (__builtin_mul_overflow(more, each, &bytes))
        return -ENOMEM;
    void *grown = realloc(*items, bytes);
    if (grown == NULL)
        return -ENOMEM;
    *items = grown;
    *cap = more;
    return 0;
}

int hf_array_by_string(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int hf_array_by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}
