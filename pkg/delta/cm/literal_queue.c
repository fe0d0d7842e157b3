/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/cm/literal_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_EACH = 2048 }; /* bytes between two signals: one for each literal takes longer than decoding it */

struct delta_literal_queue *delta_literal_queue_new(void)
{
    struct delta_literal_queue *queue = malloc(sizeof(*queue));

    if (queue == NULL)
        return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->more, NULL);
    delta_literal_queue_begin(queue);
    return queue;
}

void delta_literal_queue_free(struct delta_literal_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->more);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void delta_literal_queue_begin(struct delta_literal_queue *queue)
{
    queue->put = queue->taken = queue->known = queue->made = 0;
    queue->waiting = queue->ended = false;
    queue->failed = 0;
}

static void tell(struct delta_literal_queue *queue, bool ended, int r, const struct hf_err *err)
{
    pthread_mutex_lock(&queue->lock);
    queue->made = queue->put;
    queue->ended = ended;
    queue->failed = r;
    if (r < 0)
        queue->err = *err;
    if (queue->waiting)
        pthread_cond_signal(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

int delta_literal_queue_put(struct delta_literal_queue *queue, const void *bytes, size_t n, struct hf_err *err)
{
    if (n > sizeof(queue->bytes) - queue->put)
        return hf_err_set(err, EBADMSG, "delta is damaged: a stripe has too many literals");
    memcpy(queue->bytes + queue->put, bytes, n);
    size_t before = queue->put / TOLD_EACH;
    queue->put += n;
    if (queue->put / TOLD_EACH != before)
        tell(queue, false, 0, NULL);
    return 0;
}

void delta_literal_queue_end(struct delta_literal_queue *queue, int r, const struct hf_err *err)
{
    tell(queue, true, r, err);
}

/* Returns the producer's error, and copies it to *err if err is not NULL. */
static int failure(const struct delta_literal_queue *queue, struct hf_err *err)
{
    if (queue->failed < 0 && err != NULL)
        *err = queue->err;
    return queue->failed;
}

/* Waits for n more bytes or the end. */
static int wait_for(struct delta_literal_queue *queue, size_t n, struct hf_err *err)
{
    int r = 0;

    pthread_mutex_lock(&queue->lock);
    queue->waiting = true;
    while (queue->made - queue->taken < n && !queue->ended)
        pthread_cond_wait(&queue->more, &queue->lock);
    queue->waiting = false;
    queue->known = queue->made;
    if (queue->known - queue->taken < n && (r = failure(queue, err)) == 0)
        r = hf_err_set(err, EBADMSG, "delta is damaged: literals end too early");
    pthread_mutex_unlock(&queue->lock);
    return r;
}

int delta_literal_queue_take(struct delta_literal_queue *queue, size_t n, const unsigned char **ret_bytes,
                             struct hf_err *err)
{
    int r = queue->known - queue->taken < n ? wait_for(queue, n, err) : 0;

    *ret_bytes = queue->bytes + queue->taken;
    queue->taken += r == 0 ? n : 0;
    return r;
}

int delta_literal_queue_check(struct delta_literal_queue *queue, struct hf_err *err)
{
    if (queue->failed == 0 && queue->taken != queue->put)
        return hf_err_set(err, EBADMSG, "delta is damaged: unused literals");
    return failure(queue, err);
}
