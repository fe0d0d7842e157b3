/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/losses.h"

#include <string.h>

#include "base/macros.h"

static void forget(struct hf_spool_losses *losses, size_t i)
{
    losses->n--;
    memmove(&losses->gaps[i], &losses->gaps[i + 1], (losses->n - i) * sizeof(losses->gaps[0]));
}

static void append(struct hf_spool_losses *losses, uint64_t from, uint64_t to)
{
    struct hf_spool_gap *last = losses->n > 0 ? &losses->gaps[losses->n - 1] : NULL;

    if (last != NULL && !last->counted && last->to == from) {
        last->to = to;
        return;
    }
    if (losses->n == HF_SPOOL_GAPS) {
        losses->early += losses->gaps[0].counted ? 0 : losses->gaps[0].to - losses->gaps[0].from;
        forget(losses, 0);
    }
    losses->gaps[losses->n++] = (struct hf_spool_gap){.from = from, .to = to};
}

/* Returns the end of the gap that holds `at`, or `at` if none does; *ret_next is where the next gap begins. */
static uint64_t end_of_gap(const struct hf_spool_losses *losses, uint64_t at, uint64_t *ret_next)
{
    *ret_next = UINT64_MAX;
    for (size_t i = 0; i < losses->n; i++) {
        const struct hf_spool_gap *gap = &losses->gaps[i];
        if (gap->from <= at && at < gap->to)
            return gap->to;
        if (gap->from > at)
            *ret_next = HF_MIN(*ret_next, gap->from);
    }
    return at;
}

void hf_spool_losses_add(struct hf_spool_losses *losses, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t next, end = end_of_gap(losses, from, &next);
        if (end == from) {
            end = HF_MIN(next, to);
            append(losses, from, end);
        }
        from = end;
    }
}

uint64_t hf_spool_losses_count(struct hf_spool_losses *losses, uint64_t delivered)
{
    uint64_t records = losses->early;

    losses->early = 0;
    for (size_t i = losses->n; i-- > 0;) {
        struct hf_spool_gap *gap = &losses->gaps[i];
        if (!gap->counted && gap->to > delivered + 1)
            records += gap->to - HF_MAX(gap->from, delivered + 1);
        gap->counted = true;
        if (gap->to <= delivered + 1)
            forget(losses, i);
    }
    return records;
}

uint64_t hf_spool_losses_counted(const struct hf_spool_losses *losses, uint64_t after, uint64_t until)
{
    uint64_t records = 0;

    for (size_t i = 0; i < losses->n; i++) {
        uint64_t from = HF_MAX(losses->gaps[i].from, after + 1), to = HF_MIN(losses->gaps[i].to, until + 1);
        records += losses->gaps[i].counted && from < to ? to - from : 0;
    }
    return records;
}
