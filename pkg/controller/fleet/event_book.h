/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/event_book.h - decides which of three things happens to an occurrence: it becomes a new Kubernetes
 * Event, it adds to the count of an existing Event, or it is dropped. Pure.
 *
 * The name of an Event is a function of its content, so two replicas, and a replica before and after its restart, use
 * the same Event. A repetition within HF_EVENT_SERIES_NS adds to the series of its Event, with at most one write in
 * HF_EVENT_REPEAT_NS. A token bucket limits all writes, so that a fault that comes again and again does not flood the
 * API server. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum {
    HF_EVENT_BOOK_ROWS = 256, /* maximum number of Events that the book remembers */
    HF_EVENT_BURST = 25       /* number of tokens in a full bucket */
};

#define HF_EVENT_SERIES_NS (30 * 60 * HF_NS_PER_S) /* after a longer pause, an occurrence begins a new series */
#define HF_EVENT_REPEAT_NS (60 * HF_NS_PER_S)
#define HF_EVENT_REFILL_NS (5 * HF_NS_PER_S) /* time in which the bucket gets one token */

/* HF_EVENT_CREATE: write a new Event. HF_EVENT_REPEAT: write the new count to the existing Event. HF_EVENT_DROP: write
 * nothing. */
enum hf_event_action { HF_EVENT_CREATE, HF_EVENT_REPEAT, HF_EVENT_DROP };

struct hf_event_book {
    struct hf_event_row {
        uint64_t key;     /* 0: free */
        uint64_t last_ns; /* monotonic time of the last occurrence */
        uint64_t sent_ns; /* monotonic time of the last write */
        uint32_t count;   /* occurrences in this series */
    } rows[HF_EVENT_BOOK_ROWS];
    uint64_t tokens_ns; /* content of the bucket as a time; one token is HF_EVENT_REFILL_NS */
    uint64_t filled_ns; /* monotonic time at which tokens_ns was computed */
    bool started;
};

/* Records one occurrence. `key` is a hash of the Event's content. For HF_EVENT_REPEAT, *ret_count is the number of
 * occurrences in the series, at least 2. */
enum hf_event_action hf_event_book_note(struct hf_event_book *book, uint64_t key, uint64_t now_ns, uint32_t *ret_count);
