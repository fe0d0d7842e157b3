/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/literal_queue.h - a queue that passes the literals of one stripe from the thread that decodes literals to
 * the thread that places the literals between the copies.
 *
 * Threads: one producer and one consumer. One thread may have both roles if it puts all bytes of a stripe before it
 * takes the first byte of that stripe. Memory: DELTA_STRIPE_BYTES for each queue. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* maximum number of bytes that a stripe takes in the queue. The queue holds the literals of the stripe, and one struct
 * delta_literal_run for each run of the stripe. */
enum { DELTA_STRIPE_BYTES = 1 << 16 };

/* A gap of the match map is a part of the new file that no entry of the map covers. A gap consists of runs. A run is a
 * number of literals and then a short copy. `copied` is the length of the copy in bytes, or 0 if the gap ends after the
 * literals. */
struct delta_literal_run {
    uint64_t old_pos;
    uint32_t literals, copied;
};

struct delta_literal_queue {
    size_t put; /* bytes put so far; only the producer uses this field */
    /* only the consumer uses these fields; `known` is the value of `made` when the consumer last read it */
    size_t taken, known;
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t made; /* bytes that the consumer may take; the lock protects the fields from `made` to `err` */
    bool waiting, ended;
    int failed;
    struct hf_err err;
    unsigned char bytes[DELTA_STRIPE_BYTES];
};

/* Makes an empty queue. Returns NULL if out of memory. */
struct delta_literal_queue *delta_literal_queue_new(void);
void delta_literal_queue_free(struct delta_literal_queue *queue);

/* Empties the queue. Call before each stripe. */
void delta_literal_queue_begin(struct delta_literal_queue *queue);

/* Appends bytes to the stripe. -EBADMSG: the stripe would exceed DELTA_STRIPE_BYTES. */
HF_MUST_USE int delta_literal_queue_put(struct delta_literal_queue *queue, const void *bytes, size_t n,
                                        struct hf_err *err);
/* Ends the stripe. `r` is 0 if the stripe is complete. Otherwise `r` is the producer's error, and *err has the
 * message. */
void delta_literal_queue_end(struct delta_literal_queue *queue, int r, const struct hf_err *err);

/* Waits for the next n bytes and borrows them. If the stripe ends before n bytes, returns the producer's error, or
 * -EBADMSG if the producer reported none. */
HF_MUST_USE int delta_literal_queue_take(struct delta_literal_queue *queue, size_t n, const unsigned char **ret_bytes,
                                         struct hf_err *err);
/* Checks that the consumer has taken all bytes of the stripe. Call after the producer has ended the stripe. Returns the
 * producer's error if there is one, otherwise -EBADMSG if bytes remain, otherwise 0. */
HF_MUST_USE int delta_literal_queue_check(struct delta_literal_queue *queue, struct hf_err *err);
