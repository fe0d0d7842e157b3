#include "delta/cm/ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_EACH = 2048 }; /* bytes: to tell the other side of each literal would take longer than to decode it */

struct delta_ahead *delta_ahead_new(void)
{
    struct delta_ahead *ahead = malloc(sizeof(*ahead));

    if (ahead == NULL)
        return NULL;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->more, NULL);
    delta_ahead_begin(ahead);
    return ahead;
}

void delta_ahead_free(struct delta_ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_cond_destroy(&ahead->more);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}

void delta_ahead_begin(struct delta_ahead *ahead)
{
    ahead->put = ahead->taken = ahead->known = ahead->made = 0;
    ahead->waiting = ahead->ended = false;
    ahead->failed = 0;
}

static void tell(struct delta_ahead *ahead, bool ended, int r, const struct hf_err *err)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->made = ahead->put;
    ahead->ended = ended;
    ahead->failed = r;
    if (r < 0)
        ahead->err = *err;
    if (ahead->waiting)
        pthread_cond_signal(&ahead->more);
    pthread_mutex_unlock(&ahead->lock);
}

int delta_ahead_put(struct delta_ahead *ahead, const void *bytes, size_t n, struct hf_err *err)
{
    if (n > sizeof(ahead->bytes) - ahead->put)
        return hf_err_set(err, EBADMSG, "delta is damaged: a stripe has too many literals");
    memcpy(ahead->bytes + ahead->put, bytes, n);
    size_t before = ahead->put / TOLD_EACH;
    ahead->put += n;
    if (ahead->put / TOLD_EACH != before)
        tell(ahead, false, 0, NULL);
    return 0;
}

void delta_ahead_end(struct delta_ahead *ahead, int r, const struct hf_err *err)
{
    tell(ahead, true, r, err);
}

/* The other side's word for it, in *err where one is wanted. */
static int failure(const struct delta_ahead *ahead, struct hf_err *err)
{
    if (ahead->failed < 0 && err != NULL)
        *err = ahead->err;
    return ahead->failed;
}

/* Until n more bytes are made, or no more come. */
static int wait_for(struct delta_ahead *ahead, size_t n, struct hf_err *err)
{
    int r = 0;

    pthread_mutex_lock(&ahead->lock);
    ahead->waiting = true;
    while (ahead->made - ahead->taken < n && !ahead->ended)
        pthread_cond_wait(&ahead->more, &ahead->lock);
    ahead->waiting = false;
    ahead->known = ahead->made;
    if (ahead->known - ahead->taken < n && (r = failure(ahead, err)) == 0)
        r = hf_err_set(err, EBADMSG, "delta is damaged: literals end too early");
    pthread_mutex_unlock(&ahead->lock);
    return r;
}

int delta_ahead_take(struct delta_ahead *ahead, size_t n, const unsigned char **ret_bytes, struct hf_err *err)
{
    int r = ahead->known - ahead->taken < n ? wait_for(ahead, n, err) : 0;

    *ret_bytes = ahead->bytes + ahead->taken;
    ahead->taken += r == 0 ? n : 0;
    return r;
}

int delta_ahead_check(struct delta_ahead *ahead, struct hf_err *err)
{
    if (ahead->failed == 0 && ahead->taken != ahead->put)
        return hf_err_set(err, EBADMSG, "delta is damaged: literals are left over");
    return failure(ahead, err);
}
