/* SPDX-License-Identifier: Apache-2.0 */
/* Which content of its source an entry takes, and when the source runs. */
#include <string.h>

#include "manifests/rules/content_machine.h"
#include "support/check_main.h"
#include "support/golden.h"
#include "support/print_machine.h"

static const char *const event_names[HF_CONTENT_EV_COUNT] = {"Started", "Stopped", "Held",  "Lifted", "Delivered",
                                                             "Dropped", "Taken",   "Began", "Ended"};
static const char *const intake_names[HF_CONTENT_INTAKE_COUNT] = {"Stopped", "Following", "Refusing", "Held"};
static const char *const slot_names[HF_CONTENT_SLOT_COUNT] = {"Empty", "Incoming", "Storing", "Newer"};

static int intake(unsigned state, unsigned event)
{
    bool known;
    unsigned next = hf_content_machine_intake((enum hf_content_intake)state, (enum hf_content_event)event, &known);

    return known ? (int)next : -1;
}

static int slot(unsigned state, unsigned event)
{
    bool known;
    unsigned next = hf_content_machine_slot((enum hf_content_slot)state, (enum hf_content_event)event, &known);

    return known ? (int)next : -1;
}

START_TEST(tables)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    const struct hf_print_moves intakes = {
        intake, intake_names, event_names, HF_CONTENT_INTAKE_COUNT, 0, HF_CONTENT_EV_DELIVERED, 10};
    const struct hf_print_moves slots = {
        slot, slot_names, event_names, HF_CONTENT_SLOT_COUNT, HF_CONTENT_EV_DELIVERED, HF_CONTENT_EV_COUNT, 10};
    hf_print_moves(&intakes, &text);
    hf_print_moves(&slots, &text);
    ck_assert(hf_golden("manifest_content.txt", hf_buf_view(&text)));
}
END_TEST

/* The four states of the intake are whether there is a source, and whether there is a hold: each event sets one. */
START_TEST(intake_is_source_and_hold)
{
    for (unsigned i = 0; i < HF_CONTENT_INTAKE_COUNT; i++) {
        enum hf_content_intake state = (enum hf_content_intake)i;
        bool source = hf_content_machine_has_source(state), hold = hf_content_machine_has_hold(state), known;
        for (unsigned k = HF_CONTENT_EV_STARTED; k < HF_CONTENT_EV_DELIVERED; k++) {
            enum hf_content_intake next = hf_content_machine_intake(state, (enum hf_content_event)k, &known);
            if (k == HF_CONTENT_EV_STARTED && source) {
                ck_assert(!known && next == state);
                continue;
            }
            ck_assert(known);
            ck_assert_int_eq(hf_content_machine_has_source(next),
                             k == HF_CONTENT_EV_STARTED || (source && k != HF_CONTENT_EV_STOPPED));
            ck_assert_int_eq(hf_content_machine_has_hold(next),
                             k == HF_CONTENT_EV_HELD || (hold && k != HF_CONTENT_EV_LIFTED));
        }
    }
}
END_TEST

/* No content is lost: what waits is there until it is dropped, taken or written, whatever a job does meanwhile. */
START_TEST(slot_keeps_what_waits)
{
    bool known;
    enum hf_content_slot slot = hf_content_machine_slot(HF_CONTENT_EMPTY, HF_CONTENT_EV_DELIVERED, &known);

    ck_assert(hf_content_machine_has_waiting(slot));
    slot = hf_content_machine_slot(slot, HF_CONTENT_EV_BEGAN, &known);
    ck_assert_int_eq(slot, HF_CONTENT_STORING);
    slot = hf_content_machine_slot(slot, HF_CONTENT_EV_DELIVERED, &known);
    ck_assert_int_eq(hf_content_machine_slot(slot, HF_CONTENT_EV_DROPPED, &known), HF_CONTENT_STORING);
    slot = hf_content_machine_slot(slot, HF_CONTENT_EV_ENDED, &known);
    ck_assert_int_eq(slot, HF_CONTENT_INCOMING);
    /* One job at a time, and it has something to write. */
    ck_assert_int_eq(hf_content_machine_slot(HF_CONTENT_NEWER, HF_CONTENT_EV_BEGAN, &known), HF_CONTENT_NEWER);
    ck_assert(!known);
    (void)hf_content_machine_slot(HF_CONTENT_EMPTY, HF_CONTENT_EV_BEGAN, &known);
    ck_assert(!known);
}
END_TEST

START_TEST(turned_away)
{
    const uint64_t mib = 1 << 20, now = 1000 * HF_NS_PER_S, minute = 60 * HF_NS_PER_S;
    const struct {
        struct hf_content_offer offer;
        struct hf_content_room room;
        bool paced;
        enum hf_manifest_reason reason;
        uint64_t until_ns;
    } rows[] = {
        {{.bytes = mib}, {.in_memory = 7 * mib, .everywhere = 63 * mib}, false, HF_MANIFEST_REASON_NONE, 0},
        {{.bytes = 1}, {.no_space = true, .writes_used_up = true}, false, HF_MANIFEST_REASON_NO_SPACE, 0},
        {{.bytes = 1}, {.writes_used_up = true}, true, HF_MANIFEST_REASON_CONTENT_PACED, 0},
        {{.bytes = 1, .secret = true}, {.no_space = true, .writes_used_up = true}, false, HF_MANIFEST_REASON_NONE, 0},
        {{.bytes = 1, .secret = true}, {.no_space = true}, true, HF_MANIFEST_REASON_CONTENT_PACED, minute},
        {{.bytes = 1, .comes_again = true}, {.no_space = false}, true, HF_MANIFEST_REASON_NONE, 0},
        {{.bytes = mib + 1},
         {.in_memory = 7 * mib, .everywhere = 7 * mib},
         false,
         HF_MANIFEST_REASON_CONTENT_PACED,
         2 * HF_NS_PER_S},
        {{.bytes = mib + 1, .has_turn = true},
         {.in_memory = 7 * mib, .everywhere = 7 * mib},
         false,
         HF_MANIFEST_REASON_NONE,
         0},
        {{.bytes = mib + 1}, {.everywhere = 63 * mib}, false, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, minute},
        {{.bytes = mib + 1, .secret = true}, {.everywhere = 63 * mib}, false, HF_MANIFEST_REASON_NONE, 0},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_content_room room = rows[i].room;
        struct hf_content_pace pace = {.bucket.full_ns = rows[i].paced ? now + HF_CONTENT_PACE_BURST * minute : 0};
        struct hf_content_hold hold = {.times = 0};
        char text[200] = "";
        room.now_ns = now;
        bool turned = hf_content_machine_turns_away(&rows[i].offer, &room, &pace, &hold, text, sizeof(text));
        ck_assert_msg(turned == (rows[i].reason != HF_MANIFEST_REASON_NONE), "row %zu", i);
        ck_assert_msg(hold.reason == rows[i].reason, "row %zu", i);
        ck_assert_msg(hold.until_ns == (rows[i].until_ns > 0 ? now + rows[i].until_ns : 0), "row %zu", i);
        ck_assert_msg((text[0] != '\0') == turned, "row %zu", i);
        ck_assert_msg(hf_content_machine_holds(&hold, &room) == turned, "row %zu", i);
    }
}
END_TEST

/* An archive that is too large is downloaded again later each time; a folder of the node costs nothing. */
START_TEST(too_large_again)
{
    struct hf_content_offer offer = {.bytes = HF_CONTENT_MAX_BYTES + 1, .has_turn = true, .downloads = true};
    struct hf_content_room room = {.now_ns = HF_NS_PER_S, .interval_ns = 300 * HF_NS_PER_S};
    struct hf_content_pace pace = {.gap_ns = 0};
    struct hf_content_hold hold = {.times = 0};
    char text[200];

    for (unsigned i = 0; i < 9; i++) {
        ck_assert(hf_content_machine_turns_away(&offer, &room, &pace, &hold, text, sizeof(text)));
        ck_assert_uint_eq(hold.until_ns, room.now_ns + (room.interval_ns << HF_MIN(i, 6U)));
    }
    /* It ends early once there is room, and the count ends with the first content that is taken. */
    ck_assert(hf_content_machine_holds(&hold, &room));
    hold.bytes = HF_CONTENT_MAX_BYTES;
    ck_assert(!hf_content_machine_holds(&hold, &room));
    offer.bytes = 1;
    ck_assert(!hf_content_machine_turns_away(&offer, &room, &pace, &hold, text, sizeof(text)));
    ck_assert_uint_eq(hold.times, 0);
}
END_TEST

START_TEST(holds_end)
{
    struct hf_content_room room = {.now_ns = 10, .no_space = true};
    struct hf_content_hold hold = {.reason = HF_MANIFEST_REASON_NO_SPACE};

    ck_assert(hf_content_machine_holds(&hold, &room));
    room.no_space = false;
    ck_assert(!hf_content_machine_holds(&hold, &room));
    hold.reason = HF_MANIFEST_REASON_WRITE_FAILED;
    hold.until_ns = 11;
    ck_assert(hf_content_machine_holds(&hold, &room));
    room.now_ns = 11;
    ck_assert(!hf_content_machine_holds(&hold, &room));
    hold = (struct hf_content_hold){.reason = HF_MANIFEST_REASON_CONTENT_PACED};
    room.writes_used_up = true;
    ck_assert(hf_content_machine_holds(&hold, &room));
}
END_TEST

START_TEST(source_steps)
{
    static const struct {
        enum hf_content_intake state;
        bool holds, asked;
        enum hf_content_step turn, follow;
    } rows[] = {
        {HF_CONTENT_STOPPED, false, false, HF_CONTENT_STAY, HF_CONTENT_START},
        {HF_CONTENT_FOLLOWING, false, false, HF_CONTENT_STAY, HF_CONTENT_STAY},
        {HF_CONTENT_REFUSING, true, false, HF_CONTENT_STOP, HF_CONTENT_STAY},
        {HF_CONTENT_REFUSING, true, true, HF_CONTENT_STAY, HF_CONTENT_STAY},
        {HF_CONTENT_REFUSING, false, false, HF_CONTENT_LIFT, HF_CONTENT_STAY},
        {HF_CONTENT_HELD, true, false, HF_CONTENT_STAY, HF_CONTENT_STAY},
        {HF_CONTENT_HELD, true, true, HF_CONTENT_STAY, HF_CONTENT_START},
        {HF_CONTENT_HELD, false, false, HF_CONTENT_LIFT, HF_CONTENT_START},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        ck_assert_msg(hf_content_machine_turn(rows[i].state, rows[i].holds, rows[i].asked) == rows[i].turn, "%zu", i);
        ck_assert_msg(hf_content_machine_follow(rows[i].state, rows[i].holds, rows[i].asked) == rows[i].follow, "%zu",
                      i);
    }
}
END_TEST

/* A worn block passes for a while, then the content is fetched: after 6 failures, then 11, 21, ... 161. */
START_TEST(unreadable)
{
    struct hf_content_reads reads = {.failed = 0};

    for (unsigned copy = 0; copy < 8; copy++) {
        unsigned tries = 1;
        while (!hf_content_machine_count_read(&reads, true))
            tries++;
        ck_assert_uint_eq(tries, (5U << HF_MIN(copy, 5U)) + 1);
    }
    ck_assert(!hf_content_machine_count_read(&reads, false));
    ck_assert_uint_eq(reads.copies + reads.failed, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, tables);
    tcase_add_test(tc, intake_is_source_and_hold);
    tcase_add_test(tc, slot_keeps_what_waits);
    tcase_add_test(tc, turned_away);
    tcase_add_test(tc, too_large_again);
    tcase_add_test(tc, holds_end);
    tcase_add_test(tc, source_steps);
    tcase_add_test(tc, unreadable);
}

HF_TEST_MAIN("manifests/content_machine", cases)
