/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/gate.h"

enum hf_manifest_reason hf_manifest_gate_ask(const struct hf_manifest_gate *gate)
{
    if (gate->held)
        return HF_MANIFEST_REASON_HELD;
    if (gate->stale)
        return HF_MANIFEST_REASON_STALE;
    if (gate->no_space)
        return HF_MANIFEST_REASON_NO_SPACE;
    if (gate->dependency_waits)
        return HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED;
    return HF_MANIFEST_REASON_NONE;
}

enum hf_manifest_retry hf_manifest_gate_retry(enum hf_manifest_reason reason)
{
    switch (reason) {
    case HF_MANIFEST_REASON_NOT_ALLOWED:
    case HF_MANIFEST_REASON_FOREIGN_FILE:
    case HF_MANIFEST_REASON_PRUNE_LIMIT:
    case HF_MANIFEST_REASON_TARGET_MISSING:
    case HF_MANIFEST_REASON_NOT_TMPFS:
    case HF_MANIFEST_REASON_UNSUPPORTED:
    case HF_MANIFEST_REASON_API_REFUSED:
    case HF_MANIFEST_REASON_CONFLICT:
    case HF_MANIFEST_REASON_IMMUTABLE:
        return HF_MANIFEST_RETRY_INTERVAL;
    case HF_MANIFEST_REASON_WRITE_FAILED:
    case HF_MANIFEST_REASON_NO_SPACE:
    case HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM:
    case HF_MANIFEST_REASON_API_UNREACHABLE:
    case HF_MANIFEST_REASON_NOT_READY:
        return HF_MANIFEST_RETRY_BACK_OFF;
    default:
        return HF_MANIFEST_RETRY_NEVER;
    }
}
