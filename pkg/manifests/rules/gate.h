/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether an entry may apply a new set now, and when a failed set is tried again. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"

struct hf_manifest_gate {
    bool held;
    bool stale;
    bool no_space;
    bool dependency_waits;
};

/* Returns the reason for the first field that is true; NONE: the set may be applied. Repairs do not ask. */
enum hf_manifest_reason hf_manifest_gate_ask(const struct hf_manifest_gate *gate);

enum hf_manifest_retry {
    HF_MANIFEST_RETRY_NEVER, /* not before the set changes */
    /* once per interval of the policy */
    HF_MANIFEST_RETRY_INTERVAL,
    HF_MANIFEST_RETRY_BACK_OFF,
};
enum hf_manifest_retry hf_manifest_gate_retry(enum hf_manifest_reason reason);
