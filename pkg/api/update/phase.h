/* SPDX-License-Identifier: Apache-2.0 */
/* Values of EdgeNode.status.updates[].phase. Pure. */
#pragma once

#include <stdbool.h>

enum hf_phase {
    HF_PHASE_IDLE, /* never wanted, or abandoned before the swap */
    HF_PHASE_WAITING,
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

const char *hf_phase_name(enum hf_phase phase);
enum hf_phase hf_phase_of(const char *name); /* HF_PHASE_COUNT: no such name */
/* Whether an update in this phase neither waits nor works: Idle, Committed, RolledBack, Incompatible, Rejected. */
bool hf_phase_rests(enum hf_phase phase);
