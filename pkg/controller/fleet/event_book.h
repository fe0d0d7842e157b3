/* SPDX-License-Identifier: Apache-2.0 */
/* Decides if an occurrence is a new Event, a repetition, or dropped. Pure. */
#pragma once

#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"

enum { HF_EVENT_BOOK_ROWS = 256, HF_EVENT_BURST = 25 };

#define HF_EVENT_REFILL_NS (5 * HF_NS_PER_S)

enum hf_event_action { HF_EVENT_CREATE, HF_EVENT_REPEAT, HF_EVENT_DROP };

struct hf_event_book {
    struct hf_event_row {
        uint64_t key;
        uint64_t last_ns;
        uint64_t sent_ns;
        uint32_t count;
    } rows[HF_EVENT_BOOK_ROWS];
    struct hf_bucket bucket;
};

/* `key`: hash of the content. *ret_count: number of occurrences, for HF_EVENT_REPEAT. */
enum hf_event_action hf_event_book_note(struct hf_event_book *book, uint64_t key, uint64_t now_ns, uint32_t *ret_count);
