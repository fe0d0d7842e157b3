/* update/rules/phase.h - the states of a release on a node, as EdgeNode.status.updates[].phase spells them. */
#pragma once

enum hf_phase {
    HF_PHASE_IDLE,    /* known, nothing to do yet */
    HF_PHASE_WAITING, /* window, admission, hold, suspended, another release's turn, backoff: reason says which */
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

const char *hf_phase_name(enum hf_phase phase); /* "Idle" ... */
enum hf_phase hf_phase_of(const char *name);    /* HF_PHASE_COUNT: no such */
