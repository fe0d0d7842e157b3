/* SPDX-License-Identifier: Apache-2.0 */
/* api/update/phase.h - the phases of a release on a node, with the names that EdgeNode.status.updates[].phase uses.
 * Pure. */
#pragma once

#include <stdbool.h>

enum hf_phase {
    HF_PHASE_IDLE, /* no release of this name was ever wanted, or the engine abandoned the last one before the swap */
    /* the update waits, for example for a window, admission, the turn or a retry; the reason names what it waits for */
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

const char *hf_phase_name(enum hf_phase phase); /* Returns "Idle", "Waiting", ...; "" for a number that is no phase. */
enum hf_phase hf_phase_of(const char *name);    /* Returns HF_PHASE_COUNT if no phase has this name. */
/* Returns true for the phases in which an update neither waits nor is in progress: Idle, Committed, RolledBack,
 * Incompatible and Rejected. */
bool hf_phase_rests(enum hf_phase phase);
