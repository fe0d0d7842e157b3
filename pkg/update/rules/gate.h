/* SPDX-License-Identifier: Apache-2.0 */
/* May the update to a release start or continue now, and if not, why? Pure; update/review.c collects the facts.
 *
 * Asked before an update starts, while it fetches and patches, and before the swap. A repair of the release that the
 * node already runs ignores windows, admission and budgets: only a hold and an unreadable trust folder or floor stop
 * it. */
#pragma once

#include <stdbool.h>

#include "api/update/reason.h"
#include "update/engine.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None: the signatures are valid */
    /* TrustUnreadable or IoError: the trust folder or the floor cannot be read now */
    enum hf_reason unsure;
    /* from hf_sequence_judge() */
    enum hf_reason sequence;
    /* hf_release_outdated(), for a release not committed */
    bool outdated;
    /* of the release; NO for the committed one */
    enum hf_time_answer expired;
    bool rolled_back_before; /* the last release that was rolled back here */
    /* PathNotAllowed, PathTaken or HF_R_None */
    enum hf_reason bad_path;
    /* ExecNotAllowed, UnitNotAllowed, OwnProgram (the release is the agent itself) or HF_R_None */
    enum hf_reason bad_exec;
    /* NoArtifactForArch, RequirementsNotMet, NotInPod or HF_R_None */
    enum hf_reason misfit;
    enum hf_desired_gate gate;
    /* from hf_floor_guard_ask() */
    enum hf_reason floors;
    /* The update needs a turn, and this node has none. Set only if the swap comes next, and while a repair of the
     * committed release, which ignores it, runs in place of the update. */
    bool turn_missing;
    /* only for an update that still has to download */
    bool writes_used_up;
    /* HF_LINK_OPEN if nothing is to be downloaded over the network */
    enum hf_link link;
    /* of the target's file system, for an update that has not started */
    bool disk_critical;
    /* by the site's own order: stops repairs; HELD in `gate` stops all updates */
    bool held;
    bool is_committed; /* the update is a repair */
    bool suspended;
    enum hf_time_answer window; /* is a window open? */
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* Sets *ret_reason; HF_R_None for GO. A wait because of `unsure` precedes a refusal, and a refusal every other wait: a
 * missing key shows even while the window is closed. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
