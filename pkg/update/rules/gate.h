/* SPDX-License-Identifier: Apache-2.0 */
/* May an update start or continue now, and if not, why? Pure.
 *
 * Asked before an update starts, while it fetches and patches, and before the swap. Repairs of the running release
 * ignore windows, admission and budgets; a hold, an unreadable trust folder or floor, a refusal or a misfit stops
 * them. */
#pragma once

#include <stdbool.h>

#include "api/update/reason.h"
#include "update/engine.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None: signatures are valid */
    /* TrustUnreadable or IoError: of trust folder or floor */
    enum hf_reason unsure;
    /* hf_sequence_judge() */
    enum hf_reason sequence;
    /* hf_release_outdated(); not for the committed one */
    bool outdated;
    /* NO for the committed one */
    enum hf_time_answer expired;
    bool rolled_back_before; /* the last one rolled back here */
    /* PathNotAllowed, PathTaken or HF_R_None */
    enum hf_reason bad_path;
    /* ExecNotAllowed, UnitNotAllowed, OwnProgram or HF_R_None */
    enum hf_reason bad_exec;
    /* NoArtifactForArch, RequirementsNotMet, NotInPod or HF_R_None */
    enum hf_reason misfit;
    enum hf_desired_gate gate;
    /* hf_floor_guard_ask() */
    enum hf_reason floors;
    /* The update needs a turn, which the node lacks. Set only if the swap comes next, and during a repair of the
     * committed release in its place, which ignores it. */
    bool turn_missing;
    /* if it has to download */
    bool writes_used_up;
    /* HF_LINK_OPEN: or no download by network */
    enum hf_link link;
    /* target's file system, before the start */
    bool disk_critical;
    /* by the site: stops repairs; HELD in `gate` stops all updates */
    bool held;
    bool is_committed; /* a repair */
    bool suspended;
    enum hf_time_answer window;
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* *ret_reason: HF_R_None for GO. A wait by `unsure` precedes a refusal, and a refusal precedes every other wait. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
