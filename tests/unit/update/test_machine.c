/* SPDX-License-Identifier: Apache-2.0 */
#include "api/update/reason.h"
#include "support/check_main.h"
#include "support/golden.h"
#include "support/print_machine.h"
#include "update/rules/machine.h"

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    ck_assert_int_eq(hf_print_table(&hf_update_table, &text), 0);
    ck_assert(hf_golden("update_machine.txt", hf_buf_view(&text)));
}
END_TEST

/* Every cell, and numbers beyond the enums: no read past the table. */
START_TEST(cells)
{
    for (unsigned phase = 0; phase <= HF_PHASE_COUNT; phase++) {
        for (unsigned event = 0; event <= HF_EV_COUNT; event++) {
            struct hf_steer_move move = hf_steer_table_move(&hf_update_table, phase, event);
            ck_assert(!move.known || (phase < HF_PHASE_COUNT && event < HF_EV_COUNT));
            ck_assert(!move.known || (move.next < HF_PHASE_COUNT && move.action < HF_ACT_COUNT));
        }
    }
}
END_TEST

static const bool resting[HF_PHASE_COUNT] = {[HF_PHASE_IDLE] = true,
                                             [HF_PHASE_COMMITTED] = true,
                                             [HF_PHASE_ROLLED_BACK] = true,
                                             [HF_PHASE_INCOMPATIBLE] = true,
                                             [HF_PHASE_REJECTED] = true};

/* An agent may start in any state. */
START_TEST(started_is_known_everywhere)
{
    for (unsigned phase = 0; phase < HF_PHASE_COUNT; phase++)
        ck_assert_msg(hf_steer_table_move(&hf_update_table, phase, HF_EV_STARTED).known, "%s",
                      hf_phase_name((enum hf_phase)phase));
}
END_TEST

/* From Swapping on, a release ends in Committed, RolledBack, or with the old version untouched; no wish changes
 * that. */
START_TEST(a_swap_is_brought_to_its_end)
{
    static const enum hf_phase begun[] = {HF_PHASE_SWAPPING, HF_PHASE_PROBATION, HF_PHASE_ROLLING_BACK};
    static const enum hf_update_event outside[] = {HF_EV_DESIRED, HF_EV_DROPPED, HF_EV_HELD,
                                                   HF_EV_REFUSED, HF_EV_MISFIT,  HF_EV_INSTALLED};

    for (size_t i = 0; i < HF_LEN(begun); i++) {
        for (size_t k = 0; k < HF_LEN(outside); k++)
            ck_assert(!hf_steer_table_move(&hf_update_table, begun[i], outside[k]).known);
    }
}
END_TEST

/* Only Healthy and Installed commit; nothing but Undone and Restored leaves RollingBack. */
START_TEST(ways_in_and_out)
{
    for (unsigned phase = 0; phase < HF_PHASE_COUNT; phase++) {
        for (unsigned event = 0; event < HF_EV_COUNT; event++) {
            struct hf_steer_move move = hf_steer_table_move(&hf_update_table, phase, event);
            if (move.known && move.next == HF_PHASE_COMMITTED && phase != HF_PHASE_COMMITTED)
                ck_assert(event == HF_EV_HEALTHY || event == HF_EV_INSTALLED);
            if (move.known && phase == HF_PHASE_ROLLING_BACK && move.next != HF_PHASE_ROLLING_BACK)
                ck_assert(event == HF_EV_RESTORED || event == HF_EV_UNDONE);
            /* An action that cleans up leads into every state of rest. */
            if (move.known && resting[move.next] && event != HF_EV_STARTED)
                ck_assert(move.action == HF_ACT_CLEAN || move.action == HF_ACT_COMMIT);
        }
    }
}
END_TEST

START_TEST(names)
{
    for (unsigned i = 0; i < HF_PHASE_COUNT; i++)
        ck_assert_uint_eq(hf_phase_of(hf_phase_name((enum hf_phase)i)), i);
    ck_assert_uint_eq(hf_phase_of("Nonsense"), HF_PHASE_COUNT);
    for (unsigned i = 0; i < HF_R_COUNT; i++) {
        enum hf_reason reason = (enum hf_reason)i;
        ck_assert_uint_eq(hf_reason_of(hf_reason_name(reason)), i);
        ck_assert_msg(hf_reason_meaning(reason)[0] != '\0' && hf_reason_remedy(reason)[0] != '\0', "%s",
                      hf_reason_name(reason));
        ck_assert_uint_lt(strlen(hf_reason_meaning(reason)) + strlen(hf_reason_remedy(reason)) + 3, 256);
    }
    ck_assert_uint_eq(hf_reason_of("Nonsense"), HF_R_COUNT);
    ck_assert_str_eq(hf_reason_name(HF_R_COUNT), "");
    ck_assert_str_eq(hf_reason_meaning(HF_R_COUNT), "");
    ck_assert_str_eq(hf_reason_remedy(HF_R_COUNT), "");
    ck_assert_str_eq(hf_phase_name(HF_PHASE_COUNT), "");
    ck_assert_str_eq(hf_steer_table_event_name(&hf_update_table, HF_EV_COUNT), "");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, table);
    tcase_add_test(tc, cells);
    tcase_add_test(tc, started_is_known_everywhere);
    tcase_add_test(tc, a_swap_is_brought_to_its_end);
    tcase_add_test(tc, ways_in_and_out);
    tcase_add_test(tc, names);
}

HF_TEST_MAIN("update/machine", cases)
