/* Literals on their way from one thread to another. */
#include "delta/cm/ahead.h"

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
    struct delta_ahead *ahead;
    size_t n;
    int r;
};

/* So many bytes, in pieces of 1 to 97. */
static void *put_all(void *ctx)
{
    const struct maker *maker = ctx;
    struct hf_err err = HF_ERR_INIT;
    unsigned char piece[97];

    for (size_t at = 0, n; at < maker->n; at += n) {
        n = HF_MIN(1 + at % sizeof(piece), maker->n - at);
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(at + i);
        ck_assert_int_eq(delta_ahead_put(maker->ahead, piece, n, &err), 0);
    }
    if (maker->r < 0)
        (void)hf_err_set(&err, -maker->r, "told by the maker");
    delta_ahead_end(maker->ahead, maker->r, &err);
    return NULL;
}

static void take(struct delta_ahead *ahead, size_t from, size_t to, size_t step)
{
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;

    for (size_t at = from, n; at < to; at += n) {
        n = HF_MIN(step, to - at);
        ck_assert_int_eq(delta_ahead_take(ahead, n, &bytes, &err), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(bytes[i], byte_at(at + i));
    }
}

static struct delta_ahead *started(struct maker *maker, pthread_t *thread)
{
    maker->ahead = delta_ahead_new();
    ck_assert_ptr_nonnull(maker->ahead);
    ck_assert_int_eq(pthread_create(thread, NULL, put_all, maker), 0);
    return maker->ahead;
}

START_TEST(all_of_it_in_order)
{
    struct maker maker = {.n = ALL};
    struct hf_err err = HF_ERR_INIT;
    pthread_t thread;
    struct delta_ahead *ahead = started(&maker, &thread);

    for (int stripe = 0; stripe < 3; stripe++) {
        take(ahead, 0, ALL, 1 + (size_t)stripe * 500);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(delta_ahead_check(ahead, &err), 0);
        delta_ahead_begin(ahead);
        ck_assert_int_eq(pthread_create(&thread, NULL, put_all, &maker), 0);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(delta_ahead_check(ahead, &err), -EBADMSG);
    delta_ahead_free(ahead);
}
END_TEST

/* What was made before a failure is still had; what was not has the maker's word for it. */
START_TEST(a_failure_where_it_happened)
{
    struct maker maker = {.n = 5000, .r = -EIO};
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;
    pthread_t thread;
    struct delta_ahead *ahead = started(&maker, &thread);

    take(ahead, 0, 4990, 10);
    ck_assert_int_eq(delta_ahead_take(ahead, 11, &bytes, &err), -EIO);
    ck_assert_str_eq(err.cause, "told by the maker");
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    take(ahead, 4990, 5000, 10);
    ck_assert_int_eq(delta_ahead_check(ahead, &err), -EIO);
    delta_ahead_free(ahead);
}
END_TEST

START_TEST(too_few_and_too_many)
{
    static unsigned char many[ALL];
    struct delta_ahead *ahead = delta_ahead_new();
    struct hf_err err = HF_ERR_INIT;
    const unsigned char *bytes;

    ck_assert_int_eq(delta_ahead_put(ahead, many, sizeof(many), &err), 0);
    ck_assert_int_eq(delta_ahead_put(ahead, many, 1, &err), -EBADMSG);
    delta_ahead_end(ahead, 0, NULL);
    ck_assert_int_eq(delta_ahead_take(ahead, ALL, &bytes, &err), 0);
    ck_assert_int_eq(delta_ahead_take(ahead, 1, &bytes, &err), -EBADMSG);
    ck_assert_int_eq(delta_ahead_check(ahead, &err), 0);
    delta_ahead_free(ahead);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, all_of_it_in_order);
    tcase_add_test(tc, a_failure_where_it_happened);
    tcase_add_test(tc, too_few_and_too_many);
}

HF_TEST_MAIN("delta/ahead", cases)
