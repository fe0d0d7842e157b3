/* SPDX-License-Identifier: Apache-2.0 */
#include "update/rules/gate.h"

#include "base/macros.h"

static enum hf_reason refusal(const struct hf_gate_facts *facts)
{
    if (facts->distrust != HF_R_None)
        return facts->distrust;
    if (facts->outdated)
        return HF_R_OldFormat;
    if (facts->sequence != HF_R_None)
        return facts->sequence;
    if (facts->expired == HF_TIME_YES)
        return HF_R_Expired;
    if (facts->rolled_back_before)
        return HF_R_RolledBackBefore;
    return facts->bad_path != HF_R_None ? facts->bad_path : facts->bad_exec;
}

static enum hf_reason hindrance(const struct hf_gate_facts *facts)
{
    static const enum hf_reason gates[] = {[HF_GATE_OPEN] = HF_R_None,
                                           [HF_GATE_NOT_ADMITTED] = HF_R_NotAdmitted,
                                           [HF_GATE_STALE] = HF_R_Stale,
                                           [HF_GATE_HELD] = HF_R_Held,
                                           [HF_GATE_IMAGES] = HF_R_ImagesPending};
    static const enum hf_reason links[] = {[HF_LINK_OPEN] = HF_R_None,
                                           [HF_LINK_WINDOW_CLOSED] = HF_R_LinkWindowClosed,
                                           [HF_LINK_CLOCK_UNSURE] = HF_R_ClockUnsure,
                                           [HF_LINK_QUOTA_USED] = HF_R_LinkQuotaUsed};

    if (facts->is_committed)
        return facts->held || facts->gate == HF_GATE_HELD ? HF_R_Held : HF_R_None;
    if (facts->floors != HF_R_None)
        return facts->floors;
    if (facts->expired == HF_TIME_UNSURE)
        return HF_R_ClockUnsure;
    if (facts->suspended)
        return HF_R_Suspended;
    if (facts->gate < HF_LEN(gates) && gates[facts->gate] != HF_R_None)
        return gates[facts->gate];
    if (facts->window != HF_TIME_YES)
        return facts->window == HF_TIME_UNSURE ? HF_R_ClockUnsure : HF_R_WindowClosed;
    if (facts->disk_critical)
        return HF_R_DiskSpaceLow;
    if (facts->writes_used_up)
        return HF_R_WriteBudgetUsed;
    if (links[facts->link] != HF_R_None)
        return links[facts->link];
    return facts->turn_missing ? HF_R_TurnPending : HF_R_None;
}

enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason)
{
    *ret_reason = facts->unsure;
    if (*ret_reason != HF_R_None)
        return HF_GATE_WAIT;
    *ret_reason = refusal(facts);
    if (*ret_reason != HF_R_None)
        return HF_GATE_REFUSE;
    *ret_reason = facts->misfit;
    if (*ret_reason != HF_R_None)
        return HF_GATE_MISFIT;
    *ret_reason = hindrance(facts);
    return *ret_reason != HF_R_None ? HF_GATE_WAIT : HF_GATE_GO;
}
