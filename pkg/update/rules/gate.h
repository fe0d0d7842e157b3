/* update/rules/gate.h - may a release go on now, and if not, why? Pure: the facts are gathered by the engine.
 *
 * Asked before an update starts, while it fetches, and once more before the swap. After that nothing is asked: what was begun
 * is brought to its end. */
#pragma once

#include <stdbool.h>

#include "update/engine.h"
#include "update/rules/reasons.h"

struct hf_gate_facts {
    enum hf_reason distrust; /* HF_R_None: the signatures are good */
    enum hf_reason unsure;   /* HF_R_None; TrustUnreadable, IoError: it cannot be judged just now */
    bool below_floor;        /* the sequence is below the highest committed one, and that is not allowed */
    bool expired;            /* and it is not installed already */
    bool rolled_back_before; /* this very digest */
    enum hf_reason bad_path; /* HF_R_None, PathNotAllowed, PathTaken */
    enum hf_reason misfit;   /* HF_R_None, NoArtifactForArch, RequirementsNotMet, NotInPod */
    enum hf_desired_gate gate;
    bool suspended, window_open;
};

enum hf_gate_verdict { HF_GATE_GO, HF_GATE_WAIT, HF_GATE_REFUSE, HF_GATE_MISFIT };

/* *ret_reason says why it is not GO. Refusals come first: nobody should wait for a window to learn that a key is missing. */
enum hf_gate_verdict hf_gate_ask(const struct hf_gate_facts *facts, enum hf_reason *ret_reason);
