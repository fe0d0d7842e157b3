/* SPDX-License-Identifier: Apache-2.0 */
/* May a release go on now: pure rows. */
#include "support/check_main.h"
#include "update/rules/gate.h"

static const struct {
    struct hf_gate_facts facts;
    enum hf_gate_verdict verdict;
    enum hf_reason reason;
} gates[] = {
    {{.window = HF_TIME_YES}, HF_GATE_GO, HF_R_None},
    {{.window = HF_TIME_NO}, HF_GATE_WAIT, HF_R_WindowClosed},
    {{.window = HF_TIME_YES, .turn_missing = true}, HF_GATE_WAIT, HF_R_TurnPending},
    {{.turn_missing = true}, HF_GATE_WAIT, HF_R_WindowClosed},
    {{.window = HF_TIME_YES, .disk_critical = true}, HF_GATE_WAIT, HF_R_DiskSpaceLow},
    {{.window = HF_TIME_YES, .disk_critical = true, .writes_used_up = true}, HF_GATE_WAIT, HF_R_DiskSpaceLow},
    {{.disk_critical = true}, HF_GATE_WAIT, HF_R_WindowClosed},
    {{.disk_critical = true, .window = HF_TIME_YES, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.disk_critical = true, .window = HF_TIME_YES, .rolled_back_before = true}, HF_GATE_REFUSE, HF_R_RolledBackBefore},
    {{.window = HF_TIME_YES, .writes_used_up = true}, HF_GATE_WAIT, HF_R_WriteBudgetUsed},
    {{.window = HF_TIME_YES, .writes_used_up = true, .turn_missing = true}, HF_GATE_WAIT, HF_R_WriteBudgetUsed},
    {{.writes_used_up = true}, HF_GATE_WAIT, HF_R_WindowClosed},
    {{.window = HF_TIME_YES, .link = HF_LINK_WINDOW_CLOSED}, HF_GATE_WAIT, HF_R_LinkWindowClosed},
    {{.window = HF_TIME_YES, .link = HF_LINK_CLOCK_UNSURE}, HF_GATE_WAIT, HF_R_ClockUnsure},
    {{.window = HF_TIME_YES, .link = HF_LINK_QUOTA_USED, .turn_missing = true}, HF_GATE_WAIT, HF_R_LinkQuotaUsed},
    {{.window = HF_TIME_YES, .link = HF_LINK_QUOTA_USED, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_Expired},
    {{.window = HF_TIME_YES, .link = HF_LINK_QUOTA_USED, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.link = HF_LINK_QUOTA_USED}, HF_GATE_WAIT, HF_R_WindowClosed},
    {{.writes_used_up = true, .window = HF_TIME_YES, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.writes_used_up = true, .window = HF_TIME_YES, .held = true, .is_committed = true}, HF_GATE_WAIT, HF_R_Held},
    {{.writes_used_up = true, .window = HF_TIME_YES, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_Expired},
    {{.turn_missing = true, .window = HF_TIME_YES, .suspended = true}, HF_GATE_WAIT, HF_R_Suspended},
    {{.turn_missing = true, .window = HF_TIME_YES, .gate = HF_GATE_NOT_ADMITTED}, HF_GATE_WAIT, HF_R_NotAdmitted},
    {{.turn_missing = true, .window = HF_TIME_YES, .gate = HF_GATE_HELD}, HF_GATE_WAIT, HF_R_Held},
    {{.turn_missing = true, .window = HF_TIME_YES, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_Expired},
    {{.turn_missing = true, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.turn_missing = true, .is_committed = true, .held = true}, HF_GATE_WAIT, HF_R_Held},
    {{.window = HF_TIME_YES, .suspended = true}, HF_GATE_WAIT, HF_R_Suspended},
    {{.window = HF_TIME_YES, .floors = HF_R_FloorsReplaced}, HF_GATE_WAIT, HF_R_FloorsReplaced},
    {{.window = HF_TIME_YES, .floors = HF_R_TpmMissing, .suspended = true}, HF_GATE_WAIT, HF_R_TpmMissing},
    {{.window = HF_TIME_YES, .floors = HF_R_FloorsPending, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_Expired},
    {{.window = HF_TIME_YES, .floors = HF_R_FloorsReplaced, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.window = HF_TIME_YES, .gate = HF_GATE_NOT_ADMITTED}, HF_GATE_WAIT, HF_R_NotAdmitted},
    {{.window = HF_TIME_YES, .gate = HF_GATE_STALE}, HF_GATE_WAIT, HF_R_Stale},
    {{.window = HF_TIME_YES, .gate = HF_GATE_IMAGES, .turn_missing = true}, HF_GATE_WAIT, HF_R_ImagesPending},
    {{.gate = HF_GATE_IMAGES, .is_committed = true}, HF_GATE_GO, HF_R_None},
    {{.gate = HF_GATE_IMAGES, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_Expired},
    {{.window = HF_TIME_YES, .gate = HF_GATE_HELD}, HF_GATE_WAIT, HF_R_Held},
    {{.unsure = HF_R_TrustUnreadable, .expired = HF_TIME_YES}, HF_GATE_WAIT, HF_R_TrustUnreadable},
    {{.window = HF_TIME_YES, .expired = HF_TIME_UNSURE}, HF_GATE_WAIT, HF_R_ClockUnsure},
    {{.window = HF_TIME_UNSURE}, HF_GATE_WAIT, HF_R_ClockUnsure},
    {{.window = HF_TIME_UNSURE, .gate = HF_GATE_HELD}, HF_GATE_WAIT, HF_R_Held},
    {{.expired = HF_TIME_UNSURE, .distrust = HF_R_UnknownKey}, HF_GATE_REFUSE, HF_R_UnknownKey},
    {{.unsure = HF_R_IoError, .sequence = HF_R_SequenceTooLow}, HF_GATE_WAIT, HF_R_IoError},
    {{.misfit = HF_R_NoArtifactForArch, .suspended = true}, HF_GATE_MISFIT, HF_R_NoArtifactForArch},
    {{.expired = HF_TIME_YES, .misfit = HF_R_NotInPod}, HF_GATE_REFUSE, HF_R_Expired},
    {{.distrust = HF_R_UnknownKey, .sequence = HF_R_SequenceTooLow}, HF_GATE_REFUSE, HF_R_UnknownKey},
    {{.sequence = HF_R_SequenceTooLow, .expired = HF_TIME_YES}, HF_GATE_REFUSE, HF_R_SequenceTooLow},
    {{.rolled_back_before = true, .bad_path = HF_R_PathTaken}, HF_GATE_REFUSE, HF_R_RolledBackBefore},
    {{.bad_path = HF_R_PathTaken, .bad_exec = HF_R_ExecNotAllowed}, HF_GATE_REFUSE, HF_R_PathTaken},
    {{.bad_exec = HF_R_ExecNotAllowed, .misfit = HF_R_NotInPod}, HF_GATE_REFUSE, HF_R_ExecNotAllowed},
    {{.bad_path = HF_R_PathNotAllowed}, HF_GATE_REFUSE, HF_R_PathNotAllowed},
};

START_TEST(gate)
{
    enum hf_reason reason;
    enum hf_gate_verdict verdict = hf_gate_ask(&gates[_i].facts, &reason);

    ck_assert_msg(verdict == gates[_i].verdict && reason == gates[_i].reason, "%d: %s", _i, hf_reason_name(reason));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, gate, 0, (int)HF_LEN(gates));
}

HF_TEST_MAIN("update/gate", cases)
