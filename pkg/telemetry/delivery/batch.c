/* SPDX-License-Identifier: Apache-2.0 */
/*           plan                    send          delivered
 *   (gap) ------> LOADING --> READY ----> SENDING ----------> DONE --> cursor passes it: removed
 *                    ^          |          |   |                ^
 *               load |          |          |   '--> REFUSED ----'
 *                    |          v          v        dead letter is written
 *   (restart) --> WAITING <----------------' again, deferred, split
 *
 * Adjacent done batches are joined: an undeliverable one costs two places and does not stop the others. */
#include "telemetry/delivery/batch.h"

#include <stdlib.h>
#include <string.h>

void hf_batches_done(struct hf_batches *batches)
{
    for (size_t i = 0; i < batches->n; i++)
        free(batches->items[i]);
    batches->n = 0;
}

struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase)
{
    size_t at = 0;

    if (batches->n == HF_BORDER_MAX)
        return NULL;
    struct hf_batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return NULL;
    batch->range = (struct hf_border){.first = first, .last = last};
    batch->phase = phase;
    while (at < batches->n && batches->items[at]->range.first < first)
        at++;
    memmove(batches->items + at + 1, batches->items + at, (batches->n - at) * sizeof(batches->items[0]));
    batches->items[at] = batch;
    batches->n++;
    return batch;
}

static void remove_at(struct hf_batches *batches, size_t at)
{
    free(batches->items[at]);
    batches->n--;
    memmove(batches->items + at, batches->items + at + 1, (batches->n - at) * sizeof(batches->items[0]));
}

bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap)
{
    struct hf_border gap = {.first = from, .last = until};

    for (size_t i = 0; i < batches->n; i++) {
        const struct hf_border *range = &batches->items[i]->range;
        if (range->last < gap.first)
            continue;
        if (range->first > gap.first) {
            gap.last = HF_MIN(gap.last, range->first - 1);
            break;
        }
        gap.first = range->last + 1;
    }
    if (gap.first > gap.last)
        return false;
    *ret_gap = gap;
    return true;
}

bool hf_batches_crowded(const struct hf_batches *batches)
{
    return batches->n >= HF_BORDER_MAX - 4;
}

bool hf_batches_may_plan(const struct hf_batches *batches)
{
    size_t open = 0;

    for (size_t i = 0; i < batches->n; i++)
        open += batches->items[i]->phase != HF_BATCH_DONE && !batches->items[i]->fragment;
    return open < HF_BATCH_PLANNED && !hf_batches_crowded(batches);
}

bool hf_batches_may_travel(const struct hf_batch *batch, uint64_t from)
{
    return batch->range.first >= from || (batch->live && from != UINT64_MAX);
}

static size_t count_travelling(const struct hf_batches *batches, uint64_t from, bool fragments)
{
    size_t n = 0;

    for (size_t i = 0; i < batches->n; i++) {
        const struct hf_batch *batch = batches->items[i];
        n += batch->phase != HF_BATCH_DONE && (fragments || !batch->fragment) && hf_batches_may_travel(batch, from);
    }
    return n;
}

bool hf_batches_travel(const struct hf_batches *batches, uint64_t from)
{
    return count_travelling(batches, from, true) > 0;
}

bool hf_batches_may_pass(const struct hf_batches *batches, uint64_t from)
{
    return count_travelling(batches, from, false) < HF_BATCH_PASSING && !hf_batches_crowded(batches);
}

uint64_t hf_batches_pass_from(const struct hf_batches *batches, uint64_t from)
{
    uint64_t behind = from;

    if (batches->n < HF_BORDER_MAX / 2 || from == UINT64_MAX)
        return from;
    for (size_t i = 0; i < batches->n && batches->items[i]->range.last < from; i++)
        behind = batches->items[i]->range.last + 1;
    return behind;
}

static void join_done(struct hf_batches *batches)
{
    for (size_t i = 0; i + 1 < batches->n;) {
        struct hf_batch *a = batches->items[i];
        const struct hf_batch *b = batches->items[i + 1];
        if (a->phase == HF_BATCH_DONE && b->phase == HF_BATCH_DONE && a->range.last + 1 == b->range.first) {
            a->range.last = b->range.last;
            remove_at(batches, i + 1);
        } else {
            i++;
        }
    }
}

uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable)
{
    join_done(batches);
    for (size_t i = 0; i < batches->n;) {
        const struct hf_batch *batch = batches->items[i];
        bool idle = batch->phase == HF_BATCH_DONE || batch->phase == HF_BATCH_WAITING;
        if (batch->range.first > HF_MAX(delivered, durable) + 1)
            break;
        if (batch->phase == HF_BATCH_DONE)
            delivered = HF_MAX(delivered, batch->range.last);
        /* the spool dropped the records of a waiting batch behind the cursor */
        if (idle && batch->range.last <= durable)
            remove_at(batches, i);
        else
            i++;
    }
    return delivered;
}

static bool is_better(const struct hf_batch *batch, const struct hf_batch *best, const struct hf_batch_choice *choice)
{
    if (best == NULL)
        return true;
    if (choice->other)
        return batch->failed_ns < best->failed_ns;
    return batch->fragment != best->fragment ? batch->fragment : choice->newest;
}

/* True from the load to the answer. A refused part may wait long for its dead letter; no other part waits for it. */
static bool is_in_flight(const struct hf_batch *batch)
{
    return batch->phase == HF_BATCH_LOADING || batch->phase == HF_BATCH_READY || batch->phase == HF_BATCH_SENDING;
}

struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns)
{
    struct hf_batch *best = NULL;
    bool fragment_busy = false;

    for (size_t i = 0; i < batches->n; i++) {
        const struct hf_batch *batch = batches->items[i];
        fragment_busy = fragment_busy || (batch->fragment && is_in_flight(batch));
    }
    for (size_t i = 0; i < batches->n; i++) {
        struct hf_batch *batch = batches->items[i];
        if (batch->phase != HF_BATCH_WAITING || (batch->fragment && fragment_busy) ||
            !hf_batches_may_travel(batch, choice->from))
            continue;
        if (batch->not_before_ns > choice->now_ns && !choice->probe)
            *ret_wait_until_ns = HF_MIN(*ret_wait_until_ns, batch->not_before_ns);
        else if (is_better(batch, best, choice))
            best = batch;
    }
    return best;
}

static bool has_fragments(const struct hf_batches *batches)
{
    for (size_t i = 0; i < batches->n; i++)
        if (batches->items[i]->fragment && batches->items[i]->phase != HF_BATCH_DONE)
            return true;
    return false;
}

struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle)
{
    if (!batch->fragment && has_fragments(batches))
        return NULL; /* split one whole batch after the other */
    struct hf_batch *second = hf_batches_add(batches, middle + 1, batch->range.last, HF_BATCH_WAITING);
    if (second == NULL)
        return NULL;
    batch->range.last = middle;
    batch->phase = HF_BATCH_WAITING;
    batch->fragment = true;
    batch->saved = false;
    /* The halves inherit the deferrals and suspicions of the whole. */
    batch->retry = (struct hf_retry_round){.deferrals = batch->retry.deferrals};
    if (batch->suspect.sure) /* each part gets its own short test */
        batch->retry.deferrals = 0;
    batch->suspect = (struct hf_suspect){.sure = batch->suspect.sure};
    second->retry = batch->retry;
    second->suspect = batch->suspect;
    second->failed_ns = batch->failed_ns;
    second->fragment = true;
    second->live = batch->live;
    return second;
}

void hf_batches_wake(struct hf_batches *batches)
{
    for (size_t i = 0; i < batches->n; i++)
        batches->items[i]->not_before_ns = 0;
}

static void add_border(struct hf_borders *borders, const struct hf_border *range, bool done)
{
    size_t at = borders->n;

    if (borders->n == HF_BORDER_MAX)
        return;
    while (at > 0 && borders->items[at - 1].first > range->first) {
        borders->items[at] = borders->items[at - 1];
        at--;
    }
    borders->items[at] = *range;
    borders->items[at].done = done;
    borders->n++;
}

void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < batches->n; i++)
        if (batches->items[i]->range.last != 0)
            add_border(ret, &batches->items[i]->range, batches->items[i]->phase == HF_BATCH_DONE);
    if (extra != NULL)
        add_border(ret, extra, false);
}
