#include "update/reasons.h"

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
