/* SPDX-License-Identifier: Apache-2.0 */
/* An Event's name follows from its content, so replicas and restarts share it. A repetition adds to the series, at one
 * write in HF_EVENT_REPEAT_NS. A token bucket limits all writes, so that repeated faults do not flood the API
 * server. */
#include "controller/fleet/event_book.h"

#define HF_EVENT_SERIES_NS (30 * 60 * HF_NS_PER_S) /* then a new series begins */
#define HF_EVENT_REPEAT_NS (60 * HF_NS_PER_S)

/* Returns the row of the key, or else a free row, or else the row that was quiet for longest. */
static struct hf_event_row *find(struct hf_event_book *book, uint64_t key)
{
    struct hf_event_row *best = &book->rows[0];

    for (size_t i = 0; i < HF_EVENT_BOOK_ROWS; i++) {
        struct hf_event_row *row = &book->rows[i];
        if (row->key == key)
            return row;
        if (best->key != 0 && (row->key == 0 || row->last_ns < best->last_ns))
            best = row;
    }
    *best = (struct hf_event_row){.key = 0};
    return best;
}

enum hf_event_action hf_event_book_note(struct hf_event_book *book, uint64_t key, uint64_t now_ns, uint32_t *ret_count)
{
    const uint64_t own = key != 0 ? key : 1;
    struct hf_event_row *row = find(book, own);
    bool repeats = row->key == own && now_ns - row->last_ns < HF_EVENT_SERIES_NS;

    if (repeats && row->count < UINT32_MAX)
        row->count++;
    row->last_ns = now_ns;
    *ret_count = row->count;
    if (repeats && now_ns - row->sent_ns < HF_EVENT_REPEAT_NS)
        return HF_EVENT_DROP;
    if (!hf_bucket_take(&book->bucket, HF_EVENT_BURST, HF_EVENT_REFILL_NS, now_ns)) {
        if (!repeats)
            row->key = 0;
        return HF_EVENT_DROP;
    }
    *row = (struct hf_event_row){.key = own, .last_ns = now_ns, .sent_ns = now_ns, .count = repeats ? row->count : 1};
    return repeats ? HF_EVENT_REPEAT : HF_EVENT_CREATE;
}
