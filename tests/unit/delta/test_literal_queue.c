/* SPDX-License-Identifier: Apache-2.0 */
/* Literals that pass from one thread to another. */
#include "delta/cm/literal_queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "support/check_main.h"

enum { ALL = DELTA_STRIPE_BYTES };

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 7 + (i >> 8));
}

struct maker {
    struct delta_literal_queue *queue;
    size_t n;
    int r;
};

/* Puts this many bytes, in pieces of 1 to 97. */
static void *put_all(void *ctx)
{
    const struct maker *maker = ctx;
    struct hf_err err = HF_ERR_INIT;
    unsigned char piece[97];

    for (size_t at = 0, n; at < maker->n; at += n) {
        n = HF_MIN(1 + at % sizeof(piece), maker->n - at);
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(at + i);
        ck_assert_int_eq(delta_literal_queue_put(maker->queue, piece, n, &err), 0);
    }
    if (maker->r < 0)
        (void)hf_err_set(&err, -maker->r, "told by the maker");
    delta_literal_queue_end(maker->queue, maker->r, &err);
    return NULL;
}

static void take(struct delta_literal_queue *queue, size_t from, size_t to, size_t step)
{
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;

    for (size_t at = from, n; at < to; at += n) {
        n = HF_MIN(step, to - at);
        ck_assert_int_eq(delta_literal_queue_take(queue, n, &bytes, &err), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(bytes[i], byte_at(at + i));
    }
}

static struct delta_literal_queue *started(struct maker *maker, pthread_t *thread)
{
    maker->queue = delta_literal_queue_new();
    ck_assert_ptr_nonnull(maker->queue);
    ck_assert_int_eq(pthread_create(thread, NULL, put_all, maker), 0);
    return maker->queue;
}

START_TEST(all_of_it_in_order)
{
    struct maker maker = {.n = ALL};
    struct hf_err err = HF_ERR_INIT;
    pthread_t thread;
    struct delta_literal_queue *queue = started(&maker, &thread);

    for (int stripe = 0; stripe < 3; stripe++) {
        take(queue, 0, ALL, 1 + (size_t)stripe * 500);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(delta_literal_queue_check(queue, &err), 0);
        delta_literal_queue_begin(queue);
        ck_assert_int_eq(pthread_create(&thread, NULL, put_all, &maker), 0);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(delta_literal_queue_check(queue, &err), -EBADMSG);
    delta_literal_queue_free(queue);
}
END_TEST

/* The consumer still gets the bytes before a failure; behind them it gets the producer's error. */
START_TEST(a_failure_where_it_happened)
{
    struct maker maker = {.n = 5000, .r = -EIO};
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;
    pthread_t thread;
    struct delta_literal_queue *queue = started(&maker, &thread);

    take(queue, 0, 4990, 10);
    ck_assert_int_eq(delta_literal_queue_take(queue, 11, &bytes, &err), -EIO);
    ck_assert_str_eq(err.cause, "told by the maker");
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    take(queue, 4990, 5000, 10);
    ck_assert_int_eq(delta_literal_queue_check(queue, &err), -EIO);
    delta_literal_queue_free(queue);
}
END_TEST

START_TEST(too_few_and_too_many)
{
    static unsigned char many[ALL];
    struct delta_literal_queue *queue = delta_literal_queue_new();
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;

    ck_assert_int_eq(delta_literal_queue_put(queue, many, sizeof(many), &err), 0);
    ck_assert_int_eq(delta_literal_queue_put(queue, many, 1, &err), -EBADMSG);
    delta_literal_queue_end(queue, 0, NULL);
    ck_assert_int_eq(delta_literal_queue_take(queue, ALL, &bytes, &err), 0);
    ck_assert_int_eq(delta_literal_queue_take(queue, 1, &bytes, &err), -EBADMSG);
    ck_assert_int_eq(delta_literal_queue_check(queue, &err), 0);
    delta_literal_queue_free(queue);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, all_of_it_in_order);
    tcase_add_test(tc, a_failure_where_it_happened);
    tcase_add_test(tc, too_few_and_too_many);
}

HF_TEST_MAIN("delta/literal_queue", cases)
