/* SPDX-License-Identifier: Apache-2.0 */
/* May an entry apply a new set now, and when is a failed one tried again? */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"

/* As in struct hf_manifest_desired. */
struct hf_manifest_gate {
    bool held;
    bool stale;
    bool no_space;
    bool dependency_waits; /* an entry of dependsOn is not applied */
};

/* The reason for the first field that is true; NONE: apply. Not for repairs. */
enum hf_manifest_reason hf_manifest_gate_ask(const struct hf_manifest_gate *gate);

enum hf_manifest_retry {
    HF_MANIFEST_RETRY_NEVER, /* until the entry or its content changes */
    /* once per interval of the policy: somebody may have changed the node or the cluster */
    HF_MANIFEST_RETRY_INTERVAL,
    HF_MANIFEST_RETRY_BACK_OFF, /* after a growing pause */
};
enum hf_manifest_retry hf_manifest_gate_retry(enum hf_manifest_reason reason);
