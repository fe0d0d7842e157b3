/* SPDX-License-Identifier: Apache-2.0 */
/* May an update start or continue now, and if not, why? Pure.
 *
 * Only a hold, an unreadable trust folder or floor, a refusal or a misfit stops a repair of the committed release. */
#pragma once

#include <stdbool.h>

#include "api/update/reason.h"
#include "update/engine.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None: signatures are valid */
    /* TrustUnreadable, or IoError if the floor cannot be read */
    enum hf_reason unsure;
    /* HF_R_None, or a reason of hf_sequence_judge() */
    enum hf_reason sequence;
    /* hf_release_outdated() is not NULL; false for the committed release */
    bool outdated;
    /* has the release expired? NO for the committed release */
    enum hf_time_answer expired;
    bool rolled_back_before; /* this release was rolled back here last */
    /* PathNotAllowed, PathTaken, AgentFailed or HF_R_None */
    enum hf_reason bad_path;
    /* ExecNotAllowed, UnitNotAllowed, OwnProgram or HF_R_None */
    enum hf_reason bad_exec;
    /* NoArtifactForArch, RequirementsNotMet, NotInPod, NotOnHost or HF_R_None */
    enum hf_reason misfit;
    enum hf_desired_gate gate;
    /* HF_R_None, or a reason of hf_floor_guard_ask() */
    enum hf_reason floors;
    /* the swap comes next, or a repair of the committed release runs, and the node lacks its turn */
    bool turn_missing;
    /* the budget is used up, and the update has to download */
    bool writes_used_up;
    /* HF_LINK_OPEN also if nothing has to be downloaded */
    enum hf_link link;
    bool disk_critical;
    /* the site's hold stops a repair; other updates stop only by HELD in `gate`, which stops repairs, too */
    bool held;
    bool is_committed; /* a repair of the committed release */
    bool suspended;
    enum hf_time_answer window;
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* Decides; *ret_reason says why not GO. A wait because of `unsure` precedes a refusal, and a refusal any other wait. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
