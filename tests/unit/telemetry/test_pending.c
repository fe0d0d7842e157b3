/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/pending.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "support/check_main.h"

static struct {
    uint64_t lost[8];
    uint32_t kept[8];
    size_t n_lost;
    bool known;
    unsigned idle;
} seen;

static void lost(void *arg, uint64_t mark, uint32_t kept)
{
    (void)arg;
    seen.kept[seen.n_lost] = kept;
    seen.lost[seen.n_lost++] = mark;
}

static bool known(void *arg, uint64_t mark)
{
    (void)arg;
    (void)mark;
    return seen.known;
}

static void idle(void *arg)
{
    (void)arg;
    seen.idle++;
}

struct work {
    struct hf_receipt receipt;
    unsigned settled;
};

static void on_settled(struct hf_receipt *receipt)
{
    ((struct work *)(void *)receipt)->settled++;
}

static struct work begin_work(void)
{
    return (struct work){.receipt = {.settled = on_settled}};
}

static struct hf_pending *fresh(void)
{
    static const struct hf_pending_params params = {.lost = lost, .known = known, .idle = idle};
    struct hf_pending *pending = hf_pending_new(&params);

    memset(&seen, 0, sizeof(seen));
    seen.known = true;
    ck_assert_ptr_nonnull(pending);
    return pending;
}

START_TEST(settles_when_the_last_is_safe)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    struct work work = begin_work();

    hf_receipt_hold(&work.receipt);
    struct hf_receipt *a = hf_pending_begin(pending, 1, &work.receipt);
    struct hf_receipt *b = hf_pending_begin(pending, 2, &work.receipt);
    hf_receipt_release(&work.receipt, 0);
    hf_receipt_release(b, 0);
    ck_assert_uint_eq(work.settled, 0);
    hf_receipt_release(a, 0);
    ck_assert_uint_eq(work.settled, 1);
    ck_assert_int_eq(work.receipt.r, 0);
    ck_assert_uint_eq(seen.idle, 1);
    ck_assert_uint_eq(hf_pending_count(pending), 0);
}
END_TEST

START_TEST(what_failed_is_lost_and_told)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    struct work work = begin_work();

    hf_receipt_hold(&work.receipt);
    struct hf_receipt *a = hf_pending_begin(pending, 7, &work.receipt);
    hf_receipt_hold(a); /* a second sink */
    hf_receipt_release(a, 0);
    hf_receipt_release(a, -EIO);
    ck_assert_uint_eq(work.settled, 0); /* the source itself still holds it */
    hf_receipt_release(&work.receipt, 0);
    ck_assert_uint_eq(work.settled, 1);
    ck_assert_int_eq(work.receipt.r, -EIO);
    ck_assert_uint_eq(seen.n_lost, 1);
    ck_assert_uint_eq(seen.lost[0], 7);
}
END_TEST

/* A repeated event while the first is on its way: it settles after the first, in whatever order the syncs end. */
START_TEST(a_follower_waits_for_all_before_it)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    struct work again = begin_work();

    struct hf_receipt *a = hf_pending_begin(pending, 1, NULL);
    struct hf_receipt *b = hf_pending_begin(pending, 2, NULL);
    hf_receipt_hold(&again.receipt);
    ck_assert_int_eq(hf_pending_follow(pending, 1, &again.receipt), 0);
    hf_receipt_release(&again.receipt, 0);
    struct hf_receipt *c = hf_pending_begin(pending, 3, NULL);
    hf_receipt_release(b, 0);
    ck_assert_uint_eq(again.settled, 0);
    hf_receipt_release(a, 0);
    ck_assert_uint_eq(again.settled, 1); /* does not wait for c */
    ck_assert_int_eq(again.receipt.r, 0);
    hf_receipt_release(c, 0);
}
END_TEST

START_TEST(a_follower_of_what_was_lost_fails)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    struct work again = begin_work();

    struct hf_receipt *a = hf_pending_begin(pending, 1, NULL);
    hf_receipt_hold(&again.receipt);
    ck_assert_int_eq(hf_pending_follow(pending, 1, &again.receipt), 0);
    hf_receipt_release(&again.receipt, 0);
    seen.known = false;
    hf_receipt_release(a, -ENOSPC);
    ck_assert_uint_eq(again.settled, 1);
    ck_assert_int_eq(again.receipt.r, -EIO);
}
END_TEST

START_TEST(nothing_on_its_way_is_nothing_to_follow)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    struct work again = begin_work();

    hf_receipt_hold(&again.receipt);
    ck_assert_int_eq(hf_pending_follow(pending, 1, &again.receipt), 0);
    hf_receipt_release(&again.receipt, 0);
    ck_assert_uint_eq(again.settled, 1);
}
END_TEST

START_TEST(is_bounded)
{
    _cleanup_(hf_pending_freep) struct hf_pending *pending = fresh();
    static struct hf_receipt *all[HF_PENDING_MAX];

    for (size_t i = 0; i < HF_PENDING_MAX; i++)
        ck_assert_ptr_nonnull(all[i] = hf_pending_begin(pending, i, NULL));
    ck_assert_ptr_null(hf_pending_begin(pending, 0, NULL));
    for (size_t i = 0; i < HF_PENDING_MAX; i += 2)
        hf_receipt_release(all[i], 0);
    for (size_t i = 1; i < HF_PENDING_MAX; i += 2)
        hf_receipt_release(all[i], 0);
    ck_assert_uint_eq(hf_pending_count(pending), 0);
    ck_assert_uint_eq(seen.idle, 1);
}
END_TEST

/* A process that ends frees the table while sinks have not stored everything (the leak sanitizer looks). */
START_TEST(frees_what_has_not_settled)
{
    struct hf_pending *pending = fresh();
    struct work work = begin_work();

    hf_receipt_hold(&work.receipt);
    struct hf_receipt *whole = hf_pending_begin(pending, 1, &work.receipt);
    struct hf_receipt *shares[3];
    for (unsigned i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(shares[i] = hf_pending_share(pending, whole, i));
    hf_receipt_release(shares[1], 0);
    hf_receipt_release(whole, 0);
    shares[1] = hf_pending_share(pending, whole, 1);
    ck_assert_ptr_nonnull(shares[1]);
    hf_receipt_release(shares[_i], 0);
    hf_pending_free(pending);
    ck_assert_uint_eq(work.settled, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, frees_what_has_not_settled, 0, 3);
    tcase_add_test(tc, settles_when_the_last_is_safe);
    tcase_add_test(tc, what_failed_is_lost_and_told);
    tcase_add_test(tc, a_follower_waits_for_all_before_it);
    tcase_add_test(tc, a_follower_of_what_was_lost_fails);
    tcase_add_test(tc, nothing_on_its_way_is_nothing_to_follow);
    tcase_add_test(tc, is_bounded);
}

HF_TEST_MAIN("telemetry/pending", cases)
