/* delta/cm/literal_queue.h - a queue for the literals of one stripe, from the thread that decodes literals to the
 * thread that places them between the copies.
 *
 * Threads: one producer and one consumer. One thread may be both if it puts all bytes of the stripe before it takes
 * the first one. Memory: DELTA_STRIPE_BYTES. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Upper bound of a stripe's literals plus sizeof(struct delta_literal_run) for each run. */
enum { DELTA_STRIPE_BYTES = 1 << 16 };

/* A number of literals, then a short copy within a gap of the match map. `copied` is 0 if the gap ends after the
 * literals. */
struct delta_literal_run {
    uint64_t old_pos;
    uint32_t literals, copied;
};

struct delta_literal_queue {
    size_t put;          /* producer only */
    size_t taken, known; /* consumer only; known: the value of `made` that the consumer read last */
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t made; /* the lock protects this and all fields below */
    bool waiting, ended;
    int failed;
    struct hf_err err;
    unsigned char bytes[DELTA_STRIPE_BYTES];
};

/* Makes an empty queue. NULL: out of memory. */
struct delta_literal_queue *delta_literal_queue_new(void);
void delta_literal_queue_free(struct delta_literal_queue *queue);

/* Call before each stripe. */
void delta_literal_queue_begin(struct delta_literal_queue *queue);

/* Appends bytes to the stripe. -EBADMSG if the stripe has more than DELTA_STRIPE_BYTES. */
HF_MUST_USE int delta_literal_queue_put(struct delta_literal_queue *queue, const void *bytes, size_t n,
                                        struct hf_err *err);
/* Ends the stripe. r is 0 if the stripe is complete, otherwise the producer's error, with the message *err. */
void delta_literal_queue_end(struct delta_literal_queue *queue, int r, const struct hf_err *err);

/* Waits for the next n bytes and borrows them. Returns the producer's error if the stripe ends before n bytes. */
HF_MUST_USE int delta_literal_queue_take(struct delta_literal_queue *queue, size_t n, const unsigned char **ret_bytes,
                                         struct hf_err *err);
/* Checks the end of the stripe, after the producer has ended it. Returns the producer's error if there is one, or
 * -EBADMSG if bytes remain. */
HF_MUST_USE int delta_literal_queue_check(struct delta_literal_queue *queue, struct hf_err *err);
