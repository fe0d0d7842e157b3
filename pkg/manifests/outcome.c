/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/outcome.h"

#include <errno.h>

enum hf_manifest_reason hf_manifest_outcome_reason(int r)
{
    switch (-r) {
    case ENOSPC:
    case EDQUOT:
        return HF_MANIFEST_REASON_NO_SPACE;
    case EROFS:
        return HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EILSEQ:
    case ENOTDIR:
        return HF_MANIFEST_REASON_NOT_ALLOWED;
    default:
        return HF_MANIFEST_REASON_WRITE_FAILED;
    }
}

bool hf_manifest_outcome_may_pass(int r)
{
    switch (-r) {
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EINTR:
    case ENOENT:      /* a disk that is not mounted yet */
    case EMEDIUMTYPE: /* a tmpfs for secrets that is not mounted yet */
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
    case EREMOTEIO:
    case ESHUTDOWN:
    case EUCLEAN: /* ext4 and XFS, until a check of the file system */
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ESTALE:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

int hf_manifest_outcome_fail(struct hf_manifest_outcome *outcome, enum hf_manifest_reason reason, int r,
                             const struct hf_err *err)
{
    outcome->r = r;
    outcome->reason = reason;
    (void)hf_err_text(err, outcome->message, sizeof(outcome->message));
    return r;
}
