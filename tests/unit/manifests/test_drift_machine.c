/* SPDX-License-Identifier: Apache-2.0 */
/* When to look for drift, and what follows from a look. */
#include "base/clock.h"
#include "manifests/rules/drift_machine.h"
#include "support/check_main.h"
#include "support/golden.h"
#include "support/print_machine.h"

static const char *const state_names[HF_DRIFT_STATE_COUNT] = {"Clean",        "Due",       "Paced",         "Looking",
                                                              "LookingAgain", "Repairing", "RepairingAgain"};
static const char *const event_names[HF_DRIFT_EV_COUNT] = {"Wanted", "Began", "Drifted", "Ended", "Paced"};

static int move(unsigned state, unsigned event)
{
    bool known;
    unsigned next = hf_drift_machine_move((enum hf_drift_state)state, (enum hf_drift_event)event, &known);

    return known ? (int)next : -1;
}

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    hf_print_moves(
        &(struct hf_print_moves){move, state_names, event_names, HF_DRIFT_STATE_COUNT, 0, HF_DRIFT_EV_COUNT, 8}, &text);
    ck_assert(hf_golden("manifest_drift.txt", hf_buf_view(&text)));
}
END_TEST

/* A change that is told at any moment leads to a look that begins after it. */
START_TEST(no_change_is_missed)
{
    bool known;

    for (unsigned i = 0; i < HF_DRIFT_STATE_COUNT; i++) {
        enum hf_drift_state state = hf_drift_machine_move((enum hf_drift_state)i, HF_DRIFT_EV_WANTED, &known);
        ck_assert(known && hf_drift_machine_wants(state));
        enum hf_drift_state ended = hf_drift_machine_move(state, HF_DRIFT_EV_ENDED, &known);
        ck_assert(hf_drift_machine_wants(ended));
        ck_assert(hf_drift_machine_wants(hf_drift_machine_move(state, HF_DRIFT_EV_DRIFTED, &known)) ||
                  state == HF_DRIFT_REPAIRING_AGAIN);
        ck_assert(hf_drift_machine_wants(hf_drift_machine_move(state, HF_DRIFT_EV_PACED, &known)) && known);
    }
}
END_TEST

/* Only one look or repair at a time. */
START_TEST(one_at_a_time)
{
    static const enum hf_drift_state busy[] = {HF_DRIFT_LOOKING, HF_DRIFT_LOOKING_AGAIN, HF_DRIFT_REPAIRING,
                                               HF_DRIFT_REPAIRING_AGAIN};
    bool known;

    for (size_t i = 0; i < HF_LEN(busy); i++) {
        ck_assert_int_eq(hf_drift_machine_move(busy[i], HF_DRIFT_EV_BEGAN, &known), busy[i]);
        ck_assert(!known);
    }
    ck_assert_int_eq(hf_drift_machine_move(HF_DRIFT_REPAIRING, HF_DRIFT_EV_DRIFTED, &known), HF_DRIFT_REPAIRING);
    ck_assert(!known);
    (void)hf_drift_machine_move(HF_DRIFT_CLEAN, HF_DRIFT_EV_BEGAN, &known);
    ck_assert(!known);
}
END_TEST

START_TEST(waits)
{
    const uint64_t s = HF_NS_PER_S;

    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_CLEAN, 0, false, 0, 100 * s), HF_NEVER);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_DUE, 0, false, 0, 100 * s), 0);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_LOOKING_AGAIN, 0, true, 0, 100 * s), HF_NEVER);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_REPAIRING, 0, true, 0, 100 * s), HF_NEVER);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_DUE, 101 * s, true, 0, 100 * s), s);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_PACED, 100 * s, false, 0, 100 * s), 0);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_CLEAN, 0, true, 90 * s, 100 * s), 20 * s);
    ck_assert_uint_eq(hf_drift_machine_wait_ns(HF_DRIFT_CLEAN, 0, true, 70 * s, 100 * s), 0);
}
END_TEST

START_TEST(verdicts)
{
    static const struct {
        struct hf_drift_finding finding;
        enum hf_drift_verdict verdict;
    } rows[] = {
        {{.failed = true, .drifted = true, .unreadable = 9}, HF_DRIFT_FAILED},
        {{.drifted = true, .unreadable = 6, .absent = true}, HF_DRIFT_WORN},
        {{.drifted = true, .unreadable = 5}, HF_DRIFT_REPAIR},
        {{.wait_ns = 1}, HF_DRIFT_AS_WANTED},
        {{.absent = true}, HF_DRIFT_AS_WANTED}, /* nothing is to be written */
        {{.restart_due = true}, HF_DRIFT_RESTART},
        {{.restart_due = true, .absent = true}, HF_DRIFT_RESTART},
        {{.restart_due = true, .wait_ns = 1}, HF_DRIFT_PACE},
        {{.drifted = true}, HF_DRIFT_REPAIR},
        {{.drifted = true, .restart_due = true}, HF_DRIFT_REPAIR},
        {{.drifted = true, .absent = true}, HF_DRIFT_FETCH},
        {{.drifted = true, .absent = true, .wait_ns = 1}, HF_DRIFT_PACE},
        {{.drifted = true, .wait_ns = 1}, HF_DRIFT_PACE},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_drift_machine_judge(&rows[i].finding) == rows[i].verdict, "row %zu", i);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, table);
    tcase_add_test(tc, no_change_is_missed);
    tcase_add_test(tc, one_at_a_time);
    tcase_add_test(tc, waits);
    tcase_add_test(tc, verdicts);
}

HF_TEST_MAIN("manifests/drift_machine", cases)
