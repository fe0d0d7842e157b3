/* update/rules/gate.h - decides if a release may continue now, and why if not. Pure: review.c gathers the facts.
 *
 * The engine asks before an update starts, while it fetches and patches, and before the swap. From the swap on nothing
 * asks: the update runs to its end. */
#pragma once

#include <stdbool.h>

#include "update/engine.h"
#include "update/rules/reasons.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None: the signatures are valid */
    enum hf_reason unsure;   /* HF_R_None; TrustUnreadable or IoError: nothing can be decided now */
    bool below_floor;        /* the sequence is below the floor, and allowDowngrade is not signed */
    bool expired;            /* ... and this release is not the committed one */
    bool rolled_back_before; /* the same digest */
    enum hf_reason bad_path; /* HF_R_None, PathNotAllowed, PathTaken */
    enum hf_reason misfit;   /* HF_R_None, NoArtifactForArch, RequirementsNotMet, NotInPod */
    enum hf_desired_gate gate;
    bool suspended, window_open;
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* *ret_reason says why it is not GO. Refusals come first: a missing key must show before the window opens. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
