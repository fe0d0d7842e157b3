/* update/rules/phase.h - the states of a release on a node, as EdgeNode.status.updates[].phase spells them. Pure. */
#pragma once

#include <stdbool.h>

enum hf_phase {
    HF_PHASE_IDLE,    /* nothing to do yet */
    HF_PHASE_WAITING, /* waits for a window, admission, the turn, a retry, ...: the reason says which */
    HF_PHASE_FETCHING,
    HF_PHASE_PATCHING,
    HF_PHASE_VERIFIED,
    HF_PHASE_SWAPPING,
    HF_PHASE_PROBATION,
    HF_PHASE_COMMITTED,
    HF_PHASE_ROLLING_BACK,
    HF_PHASE_ROLLED_BACK,
    HF_PHASE_INCOMPATIBLE,
    HF_PHASE_REJECTED,
    HF_PHASE_COUNT,
};

const char *hf_phase_name(enum hf_phase phase); /* Returns "Idle" ...; "" beyond the last phase. */
enum hf_phase hf_phase_of(const char *name);    /* Returns HF_PHASE_COUNT if no phase has this name. */
bool hf_phase_rests(enum hf_phase phase);       /* Returns true if only the caller can start something. */
