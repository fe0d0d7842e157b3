/* SPDX-License-Identifier: Apache-2.0 */
/* Carries a stripe's literals from the thread that decodes them to the one that inserts them. If one thread does both,
 * it first puts the whole stripe. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* bytes of one stripe's literals and runs */
enum { DELTA_STRIPE_BYTES = 1 << 16 };

/* A run in a gap of the match map: literals, then a short copy; `copied` 0: the gap ends. */
struct delta_literal_run {
    uint64_t old_pos;
    uint32_t literals, copied;
};

struct delta_literal_queue {
    size_t put;
    /* the consumer's position, and `made` as it last saw it */
    size_t taken, known;
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t made; /* bytes that can be taken; `lock` protects the members from here to `err` */
    bool waiting, ended;
    int failed;
    struct hf_err err;
    unsigned char bytes[DELTA_STRIPE_BYTES];
};

struct delta_literal_queue *delta_literal_queue_new(void);
void delta_literal_queue_free(struct delta_literal_queue *queue);

/* Call it before each stripe. */
void delta_literal_queue_begin(struct delta_literal_queue *queue);

/* -EBADMSG: the stripe exceeds DELTA_STRIPE_BYTES. */
HF_MUST_USE int delta_literal_queue_put(struct delta_literal_queue *queue, const void *bytes, size_t n,
                                        struct hf_err *err);
/* `r`: 0, or the producer's error with its *err. */
void delta_literal_queue_end(struct delta_literal_queue *queue, int r, const struct hf_err *err);

/* Waits for n bytes, and lends them. If the stripe ends too early: the producer's error, or -EBADMSG. */
HF_MUST_USE int delta_literal_queue_take(struct delta_literal_queue *queue, size_t n, const unsigned char **ret_bytes,
                                         struct hf_err *err);
/* Call it at the stripe's end. Returns the producer's error, -EBADMSG if bytes remain, or 0. */
HF_MUST_USE int delta_literal_queue_check(struct delta_literal_queue *queue, struct hf_err *err);
