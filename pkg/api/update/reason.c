/* SPDX-License-Identifier: Apache-2.0 */
#include "api/update/reason.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static const struct {
    const char *name, *meaning, *remedy;
    enum hf_log_level level;
} reasons[HF_R_COUNT] = {
#define ROW(name_, level_, meaning_, remedy_) [HF_R_##name_] = {#name_, meaning_, remedy_, HF_LOG_##level_},
    HF_REASONS(ROW)
#undef ROW
};

const char *hf_reason_name(enum hf_reason reason)
{
    return reason > HF_R_None && reason < HF_R_COUNT ? reasons[reason].name : "";
}

const char *hf_reason_meaning(enum hf_reason reason)
{
    return reason < HF_R_COUNT ? reasons[reason].meaning : "";
}

const char *hf_reason_remedy(enum hf_reason reason)
{
    return reason < HF_R_COUNT ? reasons[reason].remedy : "";
}

enum hf_reason hf_reason_of(const char *name)
{
    if (name[0] == '\0')
        return HF_R_None;
    for (unsigned i = HF_R_None + 1; i < HF_R_COUNT; i++) {
        if (strcmp(name, reasons[i].name) == 0)
            return (enum hf_reason)i;
    }
    return HF_R_COUNT;
}

enum hf_log_level hf_reason_level(enum hf_phase phase, enum hf_reason reason)
{
    enum hf_log_level level = reason < HF_R_COUNT ? reasons[reason].level : HF_LOG_ERROR;

    if (phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_REJECTED)
        return HF_LOG_ERROR;
    if (phase == HF_PHASE_INCOMPATIBLE)
        return HF_LOG_WARNING;
    /* A delta is unusable, but the update continues. */
    if (phase == HF_PHASE_FETCHING || phase == HF_PHASE_PATCHING)
        return HF_MIN(level, HF_LOG_WARNING);
    return level;
}

bool hf_reason_is_failure(enum hf_phase phase, enum hf_reason reason)
{
    if (phase == HF_PHASE_COMMITTED)
        return reason == HF_R_BootFailed;
    if (phase != HF_PHASE_ROLLING_BACK)
        return phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_REJECTED;
    return reason == HF_R_HealthDeadline || reason == HF_R_HealthFailed || reason == HF_R_HookFailed ||
           reason == HF_R_RestartFailed || reason == HF_R_AgentFailed || reason == HF_R_UnitNotFound ||
           reason == HF_R_NoVerdict || reason == HF_R_RollbackFailed;
}

enum hf_reason hf_reason_of_errno(int r)
{
    switch (-r) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return HF_R_DiskFull;
    case EROFS:
        return HF_R_ReadOnly;
    case EACCES:
    case EPERM:
        return HF_R_PermissionDenied;
    case ELOOP:
    case EXDEV:
    case ENOTDIR:
        return HF_R_PathEscapes;
    case ENOSYS:
        return HF_R_KernelTooOld;
    case ESTALE:
        return HF_R_TargetChanged;
    case ECANCELED:
        return HF_R_RetryingLater;
    default:
        return HF_R_IoError;
    }
}
