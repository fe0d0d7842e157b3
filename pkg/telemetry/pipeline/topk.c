/* SPDX-License-Identifier: Apache-2.0 */
/* Space-Saving (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data
 * streams"). A value without a counter takes over the counter with the smallest count and continues from it; `error`
 * records that count. */
#include "telemetry/pipeline/topk.h"

#include <errno.h>

#include "telemetry/event/hash.h"

int hf_topk_init(struct hf_topk *top, size_t k)
{
    *top = (struct hf_topk){.size = 4 * k + 16};
    top->hashes = calloc(top->size, sizeof(*top->hashes));
    top->entries = calloc(top->size, sizeof(*top->entries));
    if (top->hashes != NULL && top->entries != NULL)
        return 0;
    hf_topk_done(top);
    return -ENOMEM;
}

void hf_topk_done(struct hf_topk *top)
{
    free(top->hashes);
    free(top->entries);
    *top = (struct hf_topk){0};
}

void hf_topk_clear(struct hf_topk *top)
{
    top->n = 0;
    top->total = 0;
}

/* Returns the length of text truncated to max bytes between two characters. */
static size_t cut_length(struct hf_view text, size_t max)
{
    size_t n = HF_MIN(text.n, max);

    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void set(struct hf_topk_entry *entry, struct hf_view boundary, struct hf_view value)
{
    size_t n = cut_length(boundary, HF_TOPK_VALUE / 2), n_value;

    if (n > 0)
        memcpy(entry->value, boundary.p, n);
    entry->value[n++] = '\0';
    n_value = cut_length(value, HF_TOPK_VALUE - n);
    if (n_value > 0)
        memcpy(entry->value + n, value.p, n_value);
    entry->n = (uint8_t)(n + n_value);
}

static size_t smallest(const struct hf_topk *top)
{
    size_t least = 0;

    for (size_t i = 1; i < top->n; i++)
        if (top->entries[i].count < top->entries[least].count)
            least = i;
    return least;
}

void hf_topk_add(struct hf_topk *top, struct hf_view boundary, struct hf_view value)
{
    struct hf_topk_entry made;
    size_t i = 0;

    set(&made, boundary, value);
    uint64_t hash = hf_hash64(made.value, made.n, 0);
    top->total++;
    while (i < top->n && (top->hashes[i] != hash || top->entries[i].n != made.n ||
                          memcmp(top->entries[i].value, made.value, made.n) != 0))
        i++;
    if (i < top->n) {
        top->entries[i].count++;
        return;
    }
    made.count = made.error = 0;
    if (top->n < top->size) {
        top->n++;
    } else {
        i = smallest(top);
        made.count = made.error = top->entries[i].count;
    }
    made.count++;
    top->entries[i] = made;
    top->hashes[i] = hash;
}

static int larger_first(const void *a, const void *b)
{
    const struct hf_topk_entry *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    int order = memcmp(x->value, y->value, HF_MIN(x->n, y->n));
    return order != 0 ? order : (int)x->n - (int)y->n;
}

void hf_topk_sort(struct hf_topk *top)
{
    if (top->n > 0)
        qsort(top->entries, top->n, sizeof(*top->entries), larger_first);
    for (size_t i = 0; i < top->n; i++)
        top->hashes[i] = hf_hash64(top->entries[i].value, top->entries[i].n, 0);
}

struct hf_view hf_topk_boundary(const struct hf_topk_entry *entry)
{
    return (struct hf_view){entry->value, strnlen(entry->value, entry->n)};
}

struct hf_view hf_topk_value(const struct hf_topk_entry *entry)
{
    size_t before = strnlen(entry->value, entry->n) + 1;

    return (struct hf_view){entry->value + before, entry->n - before};
}
