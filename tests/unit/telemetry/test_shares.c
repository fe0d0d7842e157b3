/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take how much of a lane: one sender, many, the sources, over restarts, and beside an owner that takes all it
 * gets. */
#include "telemetry/sink/shares.h"

#include <check.h>
#include <string.h>

#include "support/check_main.h"

enum { LANE = 1 << 20, RECORD = 512 };

static const unsigned char stream[HF_SHARES_STREAM] = {1, 2, 3};
static uint64_t sequence;

static void begin(struct hf_shares *shares, bool drop_oldest)
{
    sequence = 0;
    hf_shares_init(shares, LANE, drop_oldest);
}

static uint64_t uid(uint64_t number)
{
    return HF_OWNER_UID + number;
}

static uint64_t source(enum hf_source_class class)
{
    return hf_shares_owner(&(struct hf_event){.source_class = class});
}

/* Stores up to n records for the owner, as long as it may; returns how many. */
static unsigned take(struct hf_shares *shares, uint64_t owner, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned slot = hf_shares_slot(shares, owner);
        if (hf_shares_left(shares, slot) < RECORD)
            return i;
        hf_shares_begin(shares, slot, RECORD);
        hf_shares_end(shares, slot, RECORD);
        (void)hf_shares_stored(shares, slot, RECORD, ++sequence);
    }
    return n;
}

static unsigned take_all(struct hf_shares *shares, uint64_t owner)
{
    return take(shares, owner, UINT32_MAX);
}

static void ck_part(unsigned records, double of_lane)
{
    double part = (double)records * RECORD / LANE;

    ck_assert_msg(part > of_lane - 0.01 && part < of_lane + 0.01, "%f of the lane, not %f", part, of_lane);
}

START_TEST(one_sender_leaves_room_for_others)
{
    struct hf_shares shares;

    begin(&shares, false);
    ck_part(take_all(&shares, uid(1000)), 21.0 / 32); /* 3/4 of the posts' 7/8 */
    unsigned second = take_all(&shares, uid(1001)), third = take_all(&shares, HF_OWNER_UNKNOWN);
    ck_part(second, 21.0 / 128);
    ck_part(third, 21.0 / 512);
    ck_assert_uint_eq(take_all(&shares, uid(1000)), 0);
}
END_TEST

START_TEST(many_senders_leave_room_for_sources)
{
    struct hf_shares shares;
    unsigned posts = 0;

    begin(&shares, false);
    for (unsigned i = 0; i < 100000; i++)
        posts += take_all(&shares, uid(i));
    ck_part(posts, 7.0 / 8);
    ck_part(take_all(&shares, source(HF_SOURCE_JOURNALD)), 7.0 / 64);
    ck_assert_uint_gt(take_all(&shares, source(HF_SOURCE_FILE)), 0);
    ck_assert_uint_eq(take(&shares, hf_shares_agent(), 10), 10); /* without a limit */
    ck_assert_uint_eq(take(&shares, source(HF_SOURCE_NODE), 5000), 5000);
}
END_TEST

START_TEST(what_the_pipeline_makes_counts_for_its_sender)
{
    struct hf_shares shares;
    struct hf_event finding = {.source_class = HF_SOURCE_AGENT, .derived = true, .owner = uid(7)};
    struct hf_event own = {.source_class = HF_SOURCE_AGENT, .derived = true};
    struct hf_event window = {.source_class = HF_SOURCE_JOURNALD, .derived = true};
    struct hf_event posted = {.source_class = HF_SOURCE_HTTP, .peer_uid = HF_VIEW("7")};

    begin(&shares, false);
    ck_assert_uint_eq(hf_shares_owner(&finding), uid(7));
    ck_assert_uint_eq(hf_shares_owner(&posted), uid(7));
    ck_assert_uint_eq(hf_shares_owner(&own), hf_shares_agent());
    ck_assert_uint_eq(hf_shares_owner(&window), source(HF_SOURCE_JOURNALD));
}
END_TEST

/* A lane that drops its oldest events: alone, one may take all of it; beside others, its equal part. */
START_TEST(dropping_serves_who_has_less)
{
    struct hf_shares shares;

    begin(&shares, true);
    ck_assert_uint_eq(take(&shares, uid(1000), 3 * LANE / RECORD), 3 * LANE / RECORD);
    hf_shares_gone(&shares, sequence - LANE / RECORD); /* the store dropped the oldest */
    ck_part(take(&shares, uid(1001), 100), 100.0 * RECORD / LANE);
    ck_assert_uint_eq(take_all(&shares, uid(1000)), 0); /* nothing of the other's events goes for it */
    ck_part(100 + take_all(&shares, uid(1001)), 0.5);
    hf_shares_gone(&shares, sequence);
    ck_assert_uint_eq(take(&shares, uid(1000), 10), 10);
}
END_TEST

START_TEST(delivery_gives_room_again)
{
    struct hf_shares shares;

    begin(&shares, false);
    unsigned all = take_all(&shares, uid(1000));
    uint64_t changes = shares.changes;
    hf_shares_gone(&shares, sequence / 2);
    ck_assert_uint_gt(shares.changes, changes);
    ck_assert_uint_ge(take_all(&shares, uid(1000)) + LANE / 16 / RECORD, all / 2);
    hf_shares_gone(&shares, sequence);
    ck_assert_uint_eq(shares.total, 0);
    ck_assert_uint_eq(take_all(&shares, uid(1000)), all);
}
END_TEST

/* What is on its way to the disk counts, and no longer if the disk refuses it. */
START_TEST(what_is_under_way_counts)
{
    struct hf_shares shares;

    begin(&shares, false);
    unsigned slot = hf_shares_slot(&shares, uid(1000));
    uint64_t left = hf_shares_left(&shares, slot);
    hf_shares_begin(&shares, slot, left);
    ck_assert_uint_le(hf_shares_left(&shares, slot), 1);
    ck_assert_uint_ne(hf_shares_slot(&shares, uid(1001)), slot);
    hf_shares_end(&shares, slot, left);
    ck_assert_uint_eq(hf_shares_left(&shares, slot), left);
}
END_TEST

/* The disk shrinks below what is stored, and grows again. */
START_TEST(the_disk_has_less_room)
{
    struct hf_shares shares;

    begin(&shares, false);
    (void)take(&shares, uid(1000), 500);
    shares.capacity = 100 * RECORD;
    ck_assert_uint_eq(take_all(&shares, uid(1000)), 0);
    ck_assert_uint_eq(take_all(&shares, uid(1001)), 0);
    shares.capacity = LANE;
    ck_assert_uint_gt(take_all(&shares, uid(1001)), 0);
}
END_TEST

static void restart(struct hf_shares *shares, unsigned char text[static HF_SHARES_TEXT], uint64_t gone)
{
    const struct hf_view view = {(const char *)text, HF_SHARES_TEXT};
    uint64_t waiting = (sequence - gone) * RECORD;

    hf_shares_init(shares, LANE, false);
    hf_shares_restore(shares, stream, view, gone, sequence, waiting);
    ck_assert_uint_ge(shares->total, waiting);
}

START_TEST(a_restart_forgets_nobody)
{
    struct hf_shares shares;
    unsigned char text[HF_SHARES_TEXT];

    begin(&shares, false);
    (void)take_all(&shares, uid(1000));
    (void)take(&shares, uid(1001), 30);
    hf_shares_format(&shares, stream, text);
    restart(&shares, text, 0);
    ck_assert_uint_eq(take_all(&shares, uid(1000)), 0);
    ck_assert_uint_gt(take_all(&shares, uid(1001)), 0);
    restart(&shares, text, sequence / 2);
    ck_assert_uint_gt(take_all(&shares, uid(1000)), 0);
    hf_shares_gone(&shares, sequence);
    ck_assert_uint_eq(shares.total, 0);
    ck_assert_uint_eq(shares.posts, 0);
}
END_TEST

/* The counts on disk are older than the queue, damaged, of another stream, or missing: all that waits is counted. */
START_TEST(a_restart_without_counts)
{
    static const unsigned char other[HF_SHARES_STREAM] = {9};
    struct hf_shares shares;
    unsigned char text[HF_SHARES_TEXT];

    begin(&shares, false);
    (void)take(&shares, uid(1000), 500);
    hf_shares_format(&shares, stream, text);
    (void)take_all(&shares, uid(1000));
    unsigned char torn[HF_SHARES_TEXT], foreign[HF_SHARES_TEXT];
    memcpy(torn, text, sizeof(torn));
    torn[100] ^= 1;
    hf_shares_format(&shares, other, foreign);
    unsigned char *const texts[] = {text, torn, foreign};
    for (size_t i = 0; i < HF_LEN(texts); i++) {
        uint64_t last = sequence;
        restart(&shares, texts[i], 0);
        unsigned again = take_all(&shares, uid(1000)), next = take_all(&shares, uid(1001));
        ck_assert_uint_lt(again, LANE / RECORD / 4); /* of what was free */
        ck_assert_uint_gt(next, 0);
        sequence = last;
    }
    hf_shares_gone(&shares, UINT64_MAX);
    ck_assert_uint_eq(shares.total, 0);
}
END_TEST

/* A file from the disk with any content is read without harm. */
START_TEST(any_bytes)
{
    struct hf_shares shares;
    unsigned char text[HF_SHARES_TEXT];

    memset(text, 0xff, sizeof(text));
    sequence = 10;
    restart(&shares, text, 10);
    hf_shares_restore(&shares, stream, HF_VIEW(""), 10, 10, 0);
    ck_assert_uint_eq(shares.total, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, one_sender_leaves_room_for_others);
    tcase_add_test(tc, many_senders_leave_room_for_sources);
    tcase_add_test(tc, what_the_pipeline_makes_counts_for_its_sender);
    tcase_add_test(tc, dropping_serves_who_has_less);
    tcase_add_test(tc, delivery_gives_room_again);
    tcase_add_test(tc, what_is_under_way_counts);
    tcase_add_test(tc, the_disk_has_less_room);
    tcase_add_test(tc, a_restart_forgets_nobody);
    tcase_add_test(tc, a_restart_without_counts);
    tcase_add_test(tc, any_bytes);
}

HF_TEST_MAIN("telemetry/shares", cases)
