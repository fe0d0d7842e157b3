/* delta/cm/literal_queue.h - the literals of a stripe on their way from who decodes them to who puts them between the copies: in order, each
 * byte put once and taken once.
 *
 * Threads: one puts, one takes; they may be the same, when all is put before the first is taken. Memory: DELTA_STRIPE_BYTES. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What a stripe's literals and runs may take: so many bytes, a run counting as a struct delta_literal_run more. */
enum { DELTA_STRIPE_BYTES = 1 << 16 };

/* So many literals and then, inside a gap of the map, a copy; `copied` 0: the gap ends behind the literals. */
struct delta_literal_run {
    uint64_t old_pos;
    uint32_t literals, copied;
};

struct delta_literal_queue {
    size_t put;          /* the one side's own */
    size_t taken, known; /* the other's: known to be made */
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t made; /* under the lock, as all below */
    bool waiting, ended;
    int failed;
    struct hf_err err;
    unsigned char bytes[DELTA_STRIPE_BYTES];
};

/* NULL: out of memory. */
struct delta_literal_queue *delta_literal_queue_new(void);
void delta_literal_queue_free(struct delta_literal_queue *queue);

/* Before a stripe. */
void delta_literal_queue_begin(struct delta_literal_queue *queue);

/* -EBADMSG: it is more than a stripe may have. */
HF_MUST_USE int delta_literal_queue_put(struct delta_literal_queue *queue, const void *bytes, size_t n,
                                        struct hf_err *err);
/* No more comes: because all is there, or because of failure r, which err tells. */
void delta_literal_queue_end(struct delta_literal_queue *queue, int r, const struct hf_err *err);

/* The next n bytes, waiting for them. What ended the other side when there are fewer. */
HF_MUST_USE int delta_literal_queue_take(struct delta_literal_queue *queue, size_t n, const unsigned char **ret_bytes,
                                         struct hf_err *err);
/* Once the other side has ended: was all taken, and did it end well? */
HF_MUST_USE int delta_literal_queue_check(struct delta_literal_queue *queue, struct hf_err *err);
