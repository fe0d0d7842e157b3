/* SPDX-License-Identifier: Apache-2.0 */
/* The floors under a TPM's counter: each row of the decision, and the book and the record as texts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "codec/seal.h"
#include "support/check_main.h"
#include "update/floors/book.h"
#include "update/floors/decision.h"
#include "update/floors/record.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* ---- the decision ------------------------------------------------------------------------------------------------ */

#define FACTS(record_, value, counter_, counter_is, unsealed_)                                                         \
    {                                                                                                                  \
        .on = true, .record = HF_FLOOR_RECORD_##record_, .record_value = (value),                                      \
        .counter = HF_FLOOR_COUNTER_##counter_, .counter_value = (counter_is), .unsealed = (unsealed_)                 \
    }

/* FACTS, and more facts that are true. */
#define FACTS_ALSO(record_, value, counter_, counter_is, also)                                                         \
    {                                                                                                                  \
        .on = true, .record = HF_FLOOR_RECORD_##record_, .record_value = (value),                                      \
        .counter = HF_FLOOR_COUNTER_##counter_, .counter_value = (counter_is), .also = true                            \
    }

static const struct {
    struct hf_floor_facts facts;
    enum hf_reason reason;
    enum hf_floor_step step;
} rows[] = {
    {{.on = false, .record = HF_FLOOR_RECORD_NONE, .counter = HF_FLOOR_COUNTER_KNOWN, .counter_value = 9},
     HF_R_None,
     HF_FLOOR_STEP_REST},
    /* the disk and the TPM have not answered, or fail */
    {FACTS(UNREAD, 0, UNASKED, 0, true), HF_R_FloorsPending, HF_FLOOR_STEP_LOAD},
    {FACTS(UNREAD, 0, NO_TPM, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_LOAD},
    {FACTS(UNREADABLE, 0, KNOWN, 5, false), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS(UNWRITABLE, 0, KNOWN, 5, true), HF_R_StateNotWritable, HF_FLOOR_STEP_AGAIN},
    {FACTS(NONE, 0, UNASKED, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_READ},
    {FACTS(CLOSED, 5, UNASKED, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_READ},
    {FACTS(CLOSED, 5, NO_TPM, 0, false), HF_R_TpmMissing, HF_FLOOR_STEP_AGAIN},
    {FACTS(OPEN, 5, NO_TPM, 5, true), HF_R_TpmMissing, HF_FLOOR_STEP_AGAIN},
    {FACTS(NONE, 0, LOCKED, 0, false), HF_R_TpmLocked, HF_FLOOR_STEP_AGAIN},
    {FACTS(NONE, 0, FULL, 0, false), HF_R_TpmFull, HF_FLOOR_STEP_AGAIN},
    {FACTS(FOREIGN, 5, FAILED, 0, false), HF_R_TpmFailed, HF_FLOOR_STEP_AGAIN},
    {FACTS(CLOSED, 5, KNOWN, 5, false), HF_R_FloorsPending, HF_FLOOR_STEP_OPEN},
    {FACTS(CLOSED, 1, KNOWN, 5, false), HF_R_FloorsPending, HF_FLOOR_STEP_OPEN},
    {FACTS(CLOSED, 5, ABSENT, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_OPEN},
    /* no counter: the option is new, a cut came before the first increment, or the TPM is another one */
    {FACTS(NONE, 0, ABSENT, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_FIRST},
    {FACTS(NONE, 0, ABSENT, 0, true), HF_R_FloorsPending, HF_FLOOR_STEP_FIRST},
    {FACTS(OPEN, 5, ABSENT, 0, false), HF_R_FloorsPending, HF_FLOOR_STEP_WRITE},
    {FACTS_ALSO(OPEN, 5, ABSENT, 0, durable), HF_R_FloorsPending, HF_FLOOR_STEP_COUNT},
    {FACTS(FOREIGN, 5, ABSENT, 0, false), HF_R_TpmReplaced, HF_FLOOR_STEP_AGAIN},
    /* a counter */
    {FACTS(NONE, 0, KNOWN, 1, false), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS(FOREIGN, 5, KNOWN, 5, false), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS(FOREIGN, 6, KNOWN, 5, false), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS(OPEN, 4, KNOWN, 5, false), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS(OPEN, 4, KNOWN, 5, true), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS(OPEN, 5, KNOWN, 5, false), HF_R_None, HF_FLOOR_STEP_REST},
    {FACTS(OPEN, 5, KNOWN, 5, true), HF_R_FloorsPending, HF_FLOOR_STEP_SEAL},
    {FACTS(OPEN, 6, KNOWN, 5, false), HF_R_FloorsPending, HF_FLOOR_STEP_WRITE},
    {FACTS(OPEN, 6, KNOWN, 5, true), HF_R_FloorsPending, HF_FLOOR_STEP_WRITE},
    {FACTS_ALSO(OPEN, 6, KNOWN, 5, durable), HF_R_FloorsPending, HF_FLOOR_STEP_COUNT},
    {FACTS(OPEN, 7, KNOWN, 5, false), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(OPEN, 7, KNOWN, 5, durable), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    /* the first record of all: other programs may have used counters since the TPM has named its value */
    {FACTS_ALSO(OPEN, 5, KNOWN, 5, begins), HF_R_None, HF_FLOOR_STEP_REST},
    {FACTS_ALSO(OPEN, 5, KNOWN, 7, begins), HF_R_FloorsPending, HF_FLOOR_STEP_SEAL},
    {FACTS_ALSO(OPEN, 7, KNOWN, 5, begins), HF_R_FloorsPending, HF_FLOOR_STEP_SEAL},
    {FACTS_ALSO(FOREIGN, 5, KNOWN, 7, begins), HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN},
    /* a place cannot be read: it may have the newest record */
    {FACTS_ALSO(NONE, 0, UNASKED, 0, unread), HF_R_FloorsPending, HF_FLOOR_STEP_READ},
    {FACTS_ALSO(CLOSED, 5, KNOWN, 5, unread), HF_R_FloorsPending, HF_FLOOR_STEP_OPEN},
    {FACTS_ALSO(NONE, 0, ABSENT, 0, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(OPEN, 5, ABSENT, 0, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(FOREIGN, 5, ABSENT, 0, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(NONE, 0, KNOWN, 5, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(FOREIGN, 5, KNOWN, 5, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(OPEN, 4, KNOWN, 5, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
    {FACTS_ALSO(OPEN, 5, KNOWN, 5, unread), HF_R_None, HF_FLOOR_STEP_REST},
    {FACTS_ALSO(OPEN, 6, KNOWN, 5, unread), HF_R_FloorsPending, HF_FLOOR_STEP_WRITE},
    {FACTS_ALSO(OPEN, 7, KNOWN, 5, unread), HF_R_IoError, HF_FLOOR_STEP_AGAIN},
};

START_TEST(decision)
{
    enum hf_floor_step step;
    enum hf_reason reason = hf_floor_decide(&rows[_i].facts, &step);

    ck_assert_msg(reason == rows[_i].reason && step == rows[_i].step, "row %d: %s, step %d", _i, hf_reason_name(reason),
                  (int)step);
}
END_TEST

/* ---- the book ---------------------------------------------------------------------------------------------------- */

static const struct hf_sequence_history five = {.top = {5, A}, .current = {5, A}};
static const struct hf_sequence_history down = {.top = {5, A}, .current = {3, B}, .used = {B}, .n_used = 1};

static void expect_text(const struct hf_floor_book *book, const char *want)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_BOOK_MAX_BYTES);

    ck_assert_int_eq(hf_floor_book_format(book, &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), want);
}

START_TEST(book_joins_both_ways)
{
    struct hf_floor_book book = HF_FLOOR_BOOK_INIT;
    struct hf_sequence_history history = five;

    ck_assert_int_eq(hf_floor_book_join(&book, "release/app", &history), 1);
    ck_assert_int_eq(hf_floor_book_join(&book, "release/app", &history), 0);
    ck_assert_uint_eq(book.changes, 1);
    history = (struct hf_sequence_history){.top = {4, C}, .current = {4, C}};
    ck_assert_int_eq(hf_floor_book_join(&book, "release/app", &history), 0);
    ck_assert(history.top.sequence == 5 && strcmp(history.current.digest, A) == 0);
    history = down;
    ck_assert_int_eq(hf_floor_book_join(&book, "release/app", &history), 1);
    history = (struct hf_sequence_history){.n_used = 0};
    ck_assert_int_eq(hf_floor_book_join(&book, "release/none", &history), 0);
    history = (struct hf_sequence_history){.top = {7, ""}, .current = {7, ""}};
    ck_assert_int_eq(hf_floor_book_join(&book, "SyncPolicy/site", &history), 1);
    expect_text(&book, "floor SyncPolicy/site 7 - 7 -\nfloor release/app 5 " A " 3 " B " " B "\n");
    hf_floor_book_done(&book);
}
END_TEST

START_TEST(book_from_text)
{
    static const char good[] = "floor a/b 5 " A " 3 " B " " B "\nfloor a/c 7 - 7 -\n";
    static const char *const bad[] = {"floor a/b 5 " A " 3\n",
                                      "floor a/b\n",
                                      "flour a/b 5 - 5 -\n",
                                      "floor  5 - 5 -\n",
                                      "floor a/b 5 xx 5 -\n",
                                      "floor a/b 5 - 5 - -\n",
                                      "floor a/b -5 - 5 -\n",
                                      "floor a/b 5 - 5 - \n",
                                      "\n",
                                      "floor a/b 99999999999999999999 - 5 -\n"};
    struct hf_floor_book book = HF_FLOOR_BOOK_INIT;
    struct hf_err err;

    ck_assert_int_eq(hf_floor_book_add(&book, hf_view_of(good), &err), 2);
    ck_assert_int_eq(hf_floor_book_add(&book, hf_view_of(good), &err), 0);
    expect_text(&book, good);
    for (size_t i = 0; i < HF_LEN(bad); i++)
        ck_assert_msg(hf_floor_book_add(&book, hf_view_of(bad[i]), &err) == -EBADMSG, "%s", bad[i]);
    expect_text(&book, good);
    hf_floor_book_done(&book);
}
END_TEST

START_TEST(book_is_bounded)
{
    struct hf_floor_book book = HF_FLOOR_BOOK_INIT;
    char key[32];

    for (int i = 0; i <= HF_FLOOR_BOOK_MAX; i++) {
        struct hf_sequence_history history = five;
        (void)snprintf(key, sizeof(key), "release/a%d", i);
        ck_assert_int_eq(hf_floor_book_join(&book, key, &history), i < HF_FLOOR_BOOK_MAX ? 1 : -E2BIG);
    }
    struct hf_sequence_history history = down; /* a floor that is there still rises */
    ck_assert_int_eq(hf_floor_book_join(&book, "release/a0", &history), 1);
    hf_floor_book_done(&book);
}
END_TEST

/* ---- the record -------------------------------------------------------------------------------------------------- */

START_TEST(record_there_and_back)
{
    static const char *const floors[] = {"", "floor a/b 5 - 5 -\n", "floor a/b 5 - 5 -\nfloor a/c 6 - 6 -\n"};
    const struct hf_floor_record record = {
        .value = 1234567890123ull, .blob = HF_VIEW("b10b"), .floors = hf_view_of(floors[_i])};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    struct hf_floor_record back;

    ck_assert_int_eq(hf_floor_record_format(&record, &text), 0);
    ck_assert_int_eq(hf_floor_record_parse(hf_buf_view(&text), &back, NULL), 0);
    ck_assert(back.value == record.value && hf_view_eq(back.blob, "b10b") && hf_view_eq(back.floors, floors[_i]));
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] ^= 1;
        ck_assert_int_eq(hf_floor_record_parse(hf_buf_view(&text), &back, NULL), -EBADMSG);
        text.p[i] ^= 1;
        ck_assert_int_eq(hf_floor_record_parse((struct hf_view){text.p, i}, &back, NULL), -EBADMSG);
    }
}
END_TEST

START_TEST(record_with_wrong_lines)
{
    static const char *const bodies[] = {"",
                                         "value 5\n",
                                         "value 0\nblob ab\n",
                                         "value 5\nblub ab\n",
                                         "blob ab\nvalue 5\n",
                                         "value 9223372036854775808\nblob ab\n",
                                         "value x\nblob ab\n"};

    for (size_t i = 0; i < HF_LEN(bodies); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1000);
        struct hf_floor_record back;
        ck_assert_int_eq(hf_seal_format("floor-record", 1, hf_view_of(bodies[i]), &text), 0);
        ck_assert_msg(hf_floor_record_parse(hf_buf_view(&text), &back, NULL) == -EBADMSG, "%s", bodies[i]);
    }
}
END_TEST

/* Value and floors both are in what the TPM seals, and neither can take from the other. */
START_TEST(record_keys_differ)
{
    static const struct {
        uint64_t value;
        const char *floors;
    } records[] = {{1, ""},    {2, ""},  {1, "floor a/b 5 - 5 -\n"}, {1, "floor a/b 6 - 6 -\n"}, {11, ""},
                   {1, "1\n"}, {1, "\n"}};
    unsigned char keys[HF_LEN(records)][HF_FLOOR_RECORD_KEY];

    for (size_t i = 0; i < HF_LEN(records); i++) {
        hf_floor_record_key(records[i].value, hf_view_of(records[i].floors), keys[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(keys[i], keys[k], sizeof(keys[i]));
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, decision, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, book_joins_both_ways);
    tcase_add_test(tc, book_from_text);
    tcase_add_test(tc, book_is_bounded);
    tcase_add_loop_test(tc, record_there_and_back, 0, 3);
    tcase_add_test(tc, record_with_wrong_lines);
    tcase_add_test(tc, record_keys_differ);
}

HF_TEST_MAIN("update/floors", cases)
