/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an occurrence, on a virtual clock. */
#include "controller/fleet/event_book.h"

#include "support/check_main.h"

static struct hf_event_book book;

static enum hf_event_action note(uint64_t key, double at_s)
{
    uint32_t count;

    return hf_event_book_note(&book, key, (uint64_t)(at_s * 1000) * HF_NS_PER_MS, &count);
}

static void fresh(void)
{
    memset(&book, 0, sizeof(book));
}

START_TEST(repetitions_count)
{
    uint32_t count = 0;

    fresh();
    ck_assert_int_eq(note(7, 1), HF_EVENT_CREATE);
    ck_assert_int_eq(note(7, 2), HF_EVENT_DROP);
    ck_assert_int_eq(note(7, 60.9), HF_EVENT_DROP);
    ck_assert_int_eq(hf_event_book_note(&book, 7, 61 * HF_NS_PER_S, &count), HF_EVENT_REPEAT);
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(note(7, 61.5), HF_EVENT_DROP);
    ck_assert_int_eq(note(8, 61.5), HF_EVENT_CREATE);
}
END_TEST

START_TEST(a_long_pause_begins_anew)
{
    fresh();
    ck_assert_int_eq(note(7, 1), HF_EVENT_CREATE);
    ck_assert_int_eq(note(7, 1700), HF_EVENT_REPEAT);
    ck_assert_int_eq(note(7, 1700 + 1800), HF_EVENT_CREATE);
}
END_TEST

START_TEST(bucket)
{
    unsigned created = 0;

    fresh();
    for (uint64_t key = 1; key <= 100; key++)
        created += note(key, 10) == HF_EVENT_CREATE;
    ck_assert_uint_eq(created, HF_EVENT_BURST);
    ck_assert_int_eq(note(500, 14.9), HF_EVENT_DROP);
    ck_assert_int_eq(note(500, 15.1), HF_EVENT_CREATE); /* one dropped before is no repetition */
    created = 0;
    for (int i = 0; i < 1000; i++) /* sustained: one in 5 s */
        created += note(1000 + (unsigned)i, 20 + i) == HF_EVENT_CREATE;
    ck_assert_uint_ge(created, 199);
    ck_assert_uint_le(created, 201);
}
END_TEST

START_TEST(more_kinds_than_rows)
{
    fresh();
    for (uint64_t key = 1; key <= 3 * HF_EVENT_BOOK_ROWS; key++)
        ck_assert_int_eq(note(key, 10.0 * (double)key), HF_EVENT_CREATE);
    ck_assert_int_eq(note(3 * HF_EVENT_BOOK_ROWS, 30.0 * HF_EVENT_BOOK_ROWS + 1), HF_EVENT_DROP); /* a repetition */
    ck_assert_int_eq(note(1, 30.0 * HF_EVENT_BOOK_ROWS + 10), HF_EVENT_CREATE);                   /* forgotten */
    ck_assert_int_eq(note(0, 30.0 * HF_EVENT_BOOK_ROWS + 9000), HF_EVENT_CREATE);                 /* 0 is a key, too */
    ck_assert_int_eq(note(0, 30.0 * HF_EVENT_BOOK_ROWS + 9001), HF_EVENT_DROP);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, repetitions_count);
    tcase_add_test(tc, a_long_pause_begins_anew);
    tcase_add_test(tc, bucket);
    tcase_add_test(tc, more_kinds_than_rows);
}

HF_TEST_MAIN("controller/event_book", cases)
