/* SPDX-License-Identifier: Apache-2.0 */
#include "api/update/phase.h"

#include <string.h>

static const char *const names[HF_PHASE_COUNT] = {
    [HF_PHASE_IDLE] = "Idle",
    [HF_PHASE_WAITING] = "Waiting",
    [HF_PHASE_FETCHING] = "Fetching",
    [HF_PHASE_PATCHING] = "Patching",
    [HF_PHASE_VERIFIED] = "Verified",
    [HF_PHASE_SWAPPING] = "Swapping",
    [HF_PHASE_PROBATION] = "Probation",
    [HF_PHASE_COMMITTED] = "Committed",
    [HF_PHASE_ROLLING_BACK] = "RollingBack",
    [HF_PHASE_ROLLED_BACK] = "RolledBack",
    [HF_PHASE_INCOMPATIBLE] = "Incompatible",
    [HF_PHASE_REJECTED] = "Rejected",
};

const char *hf_phase_name(enum hf_phase phase)
{
    return phase < HF_PHASE_COUNT ? names[phase] : "";
}

enum hf_phase hf_phase_of(const char *name)
{
    unsigned i = 0;

    while (i < HF_PHASE_COUNT && strcmp(name, names[i]) != 0)
        i++;
    return (enum hf_phase)i;
}

bool hf_phase_rests(enum hf_phase phase)
{
    return phase == HF_PHASE_IDLE || phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK ||
           phase == HF_PHASE_INCOMPATIBLE || phase == HF_PHASE_REJECTED;
}
