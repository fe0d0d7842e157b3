/* update/rules/gate.h - decides if a release may continue now, and gives the reason if not. Pure; review.c gathers the
 * facts.
 *
 * The engine calls hf_gate_ask() before an update starts, while the update fetches and patches, and before the swap.
 * From the swap on, the update runs to its end without another call. */
#pragma once

#include <stdbool.h>

#include "update/engine.h"
#include "update/rules/reasons.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None if the signatures are valid */
    enum hf_reason unsure;   /* TrustUnreadable or IoError if no decision is possible now; otherwise HF_R_None */
    enum hf_reason sequence; /* HF_R_None, or why the release may not follow those that this node has committed */
    bool outdated;           /* the release lacks a signed field that a start needs, and is not the committed release */
    bool expired;            /* the release has expired, and is not the committed release */
    bool rolled_back_before; /* this node has rolled back a release with this digest */
    enum hf_reason bad_path; /* HF_R_None, PathNotAllowed or PathTaken */
    enum hf_reason misfit;   /* HF_R_None, NoArtifactForArch, RequirementsNotMet or NotInPod */
    enum hf_desired_gate gate;
    bool suspended, window_open;
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* Returns the verdict. *ret_reason receives the reason for a verdict other than GO. Refusals take precedence over
 * waits, so that a missing key shows before the window opens. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
