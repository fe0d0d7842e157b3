#include "update/rules/reasons.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static const struct {
    const char *name, *meaning, *remedy;
} reasons[HF_R_COUNT] = {
#define ROW(name_, meaning_, remedy_) [HF_R_##name_] = {#name_, meaning_, remedy_},
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

/* No default: the compiler asks for a level for each new reason. */
static enum hf_log_level level_of(enum hf_reason reason)
{
    switch (reason) {
    case HF_R_None:
    case HF_R_Queued:
    case HF_R_NotAdmitted:
    case HF_R_WindowClosed:
    case HF_R_Suspended:
    case HF_R_Held:
    case HF_R_RetryingLater:
    case HF_R_Downloading:
    case HF_R_Patching:
    case HF_R_Verified:
    case HF_R_Swapping:
    case HF_R_HealthPending:
    case HF_R_HealthPassed:
    case HF_R_NoHealthChecks:
    case HF_R_AlreadyInstalled:
        return HF_LOG_INFO;
    case HF_R_Stale:
    case HF_R_DownloadFailed:
    case HF_R_DownloadRefused:
    case HF_R_DownloadTooSlow:
    case HF_R_DeltaDamaged:
    case HF_R_DeltaUnfit:
    case HF_R_DeltaKilled:
    case HF_R_JournalDamaged:
    case HF_R_TargetChanged:
    case HF_R_SwapFailed:
    case HF_R_Drifted:
    case HF_R_SystemdUnavailable:
    case HF_R_RollingBack:
    case HF_R_NoArtifactForArch:
    case HF_R_RequirementsNotMet:
    case HF_R_NotInPod:
        return HF_LOG_WARNING;
    case HF_R_ArtifactTooLong:
    case HF_R_ArtifactTooShort:
    case HF_R_ArtifactDamaged:
    case HF_R_UrlUnsupported:
    case HF_R_HashMismatch:
    case HF_R_ArchiveInvalid:
    case HF_R_DiskFull:
    case HF_R_DiskSpaceLow:
    case HF_R_ReadOnly:
    case HF_R_IoError:
    case HF_R_PermissionDenied:
    case HF_R_OwnershipLost:
    case HF_R_StateNotWritable:
    case HF_R_PathNotAllowed:
    case HF_R_PathEscapes:
    case HF_R_PathTaken:
    case HF_R_TargetIsLink:
    case HF_R_TargetIsFolder:
    case HF_R_TargetIsSpecial:
    case HF_R_TargetIsFile:
    case HF_R_KernelTooOld:
    case HF_R_HealthDeadline:
    case HF_R_HealthFailed:
    case HF_R_RestartFailed:
    case HF_R_UnitNotFound:
    case HF_R_NoVerdict:
    case HF_R_RollbackFailed:
    case HF_R_RolledBackBefore:
    case HF_R_NoTrustedKeys:
    case HF_R_Unsigned:
    case HF_R_UnknownKey:
    case HF_R_SignatureInvalid:
    case HF_R_BelowThreshold:
    case HF_R_TrustUnreadable:
    case HF_R_SequenceTooLow:
    case HF_R_Expired:
    case HF_R_ObjectRefused:
    case HF_R_COUNT:
        return HF_LOG_ERROR;
    }
    return HF_LOG_ERROR;
}

enum hf_log_level hf_reason_level(enum hf_phase phase, enum hf_reason reason)
{
    enum hf_log_level level = level_of(reason);

    if (phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_REJECTED)
        return HF_LOG_ERROR;
    if (phase == HF_PHASE_INCOMPATIBLE)
        return HF_LOG_WARNING;
    /* A delta is unusable, but the update goes on. */
    if (phase == HF_PHASE_FETCHING || phase == HF_PHASE_PATCHING)
        return HF_MIN(level, HF_LOG_WARNING);
    return level;
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
