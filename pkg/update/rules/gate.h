/* SPDX-License-Identifier: Apache-2.0 */
/* update/rules/gate.h - decides whether the update to a release may start or continue now; if it may not, gives the
 * reason. Pure. The caller (update/review.c) collects the facts.
 *
 * The engine calls hf_gate_ask() before an update starts, while the update fetches and patches, and before the swap. A
 * repair of the release that the node already runs does not wait for windows, admission or budgets. It waits only while
 * a hold (the site's own order not to update) is in force, and while the trust folder or the floor cannot be read.
 * After the swap has started, the update runs to its end without another call of hf_gate_ask(). */
#pragma once

#include <stdbool.h>

#include "api/update/reason.h"
#include "update/engine.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* reason why the node does not trust the release; HF_R_None if the signatures are valid */
    /* TrustUnreadable or IoError if the agent cannot read the trust folder or the floor now; otherwise HF_R_None */
    enum hf_reason unsure;
    /* result of hf_sequence_judge(): the reason why the release may not follow the committed releases, or HF_R_None */
    enum hf_reason sequence;
    /* true if hf_release_outdated() rejects the release, and the node has not committed this release */
    bool outdated;
    /* what the evidence of the time says about the end of the release; NO for the committed one */
    enum hf_time_answer expired;
    bool rolled_back_before; /* true if this is the release that the node rolled back most recently */
    /* PathNotAllowed or PathTaken if the release may not be installed at its install.path; otherwise HF_R_None */
    enum hf_reason bad_path;
    /* ExecNotAllowed or UnitNotAllowed if the node does not allow a command or the unit of the release, OwnProgram if
     * the release is the agent itself; otherwise HF_R_None */
    enum hf_reason bad_exec;
    /* NoArtifactForArch, RequirementsNotMet or NotInPod if the release does not fit this node; otherwise HF_R_None */
    enum hf_reason misfit;
    enum hf_desired_gate gate;
    /* result of hf_floor_guard_ask(): the reason why releases wait for the comparison of the floors with the TPM's
     * counter, or HF_R_None */
    enum hf_reason floors;
    /* True if the update must wait for a turn: it needs one, and this node has none. The field is set only when the
     * swap comes next, and while a repair of the committed release runs in place of the update. The repair itself
     * ignores this field. */
    bool turn_missing;
    /* true if the policy's write budget is used up, and the update still has to download */
    bool writes_used_up;
    /* whether the policy allows bulk transfers now; HF_LINK_OPEN if the update does not have to download over the
     * network */
    enum hf_link link;
    /* true if the file system of the target is critically full, and the update has not started */
    bool disk_critical;
    /* true if the site's own order not to update is in force; this field stops only repairs; HELD in `gate` stops every
     * update */
    bool held;
    bool is_committed; /* this node has committed the release, so the update is a repair */
    bool suspended;
    enum hf_time_answer window; /* is a window open? */
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* Returns the verdict. If the verdict is not GO, *ret_reason receives its reason; otherwise *ret_reason is HF_R_None. A
 * wait because of facts->unsure takes precedence over a refusal, and a refusal takes precedence over every other wait.
 * So, for example, the status shows a missing key even while the window is closed. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
