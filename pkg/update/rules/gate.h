/* update/rules/gate.h - decides if the update to a release may start or continue now, and returns the reason if it may
 * not. Pure; review.c gathers the facts.
 *
 * The engine calls hf_gate_ask() before an update starts, while the update fetches and patches, and before the swap. A
 * repair of the release that the node already runs is not a new release; only the site's own order not to update (the
 * hold) stops the repair. After the swap has started, the update runs to its end without another call of
 * hf_gate_ask(). */
#pragma once

#include <stdbool.h>

#include "update/engine.h"
#include "update/rules/reasons.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* reason why the node does not trust the release; HF_R_None if the signatures are valid */
    /* TrustUnreadable or IoError if the agent cannot read the facts now; otherwise HF_R_None */
    enum hf_reason unsure;
    /* result of hf_sequence_judge(): the reason why the release may not follow the committed releases, or HF_R_None */
    enum hf_reason sequence;
    /* true if hf_release_outdated() rejects the release, and the node has not committed this release */
    bool outdated;
    /* true if all evidence of the time shows that the release has expired; false for the committed release */
    bool expired;
    /* true if the evidence of the time does not show whether the release has expired; false for the committed
     * release */
    bool expiry_unsure;
    bool rolled_back_before; /* this node has rolled back a release with this digest */
    enum hf_reason bad_path; /* PathNotAllowed or PathTaken if install.path forbids the release; otherwise HF_R_None */
    /* ExecNotAllowed or UnitNotAllowed if the node does not allow a command or the unit of the release; otherwise
     * HF_R_None */
    enum hf_reason bad_exec;
    /* NoArtifactForArch, RequirementsNotMet or NotInPod if the release does not fit this node; otherwise HF_R_None */
    enum hf_reason misfit;
    enum hf_desired_gate gate;
    /* true if only the swap is left to do, and the swap needs a turn that this node does not have; a repair needs
     * none */
    bool turn_missing;
    bool held;         /* the site's own order not to update is in force */
    bool is_committed; /* this node has committed the release, so the update is a repair */
    bool suspended, window_open;
    bool window_unsure; /* true if the evidence of the time does not show whether a window is open */
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* Returns the verdict, and in *ret_reason the reason for a verdict other than GO. A refusal takes precedence over a
 * wait, so that for example the status shows a missing key even while the window is closed. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
