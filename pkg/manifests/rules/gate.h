/* SPDX-License-Identifier: Apache-2.0 */
/* May an entry apply a new set now, and when is a failed one tried again? Pure. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"

struct hf_manifest_gate {
    bool held;             /* by the site */
    bool stale;            /* no contact for staleOk.window, and onExpiry is Hold */
    bool no_space;         /* the state folder's disk is critically full */
    bool dependency_waits; /* dependsOn is not applied */
};

/* May a new set be applied now? NONE: yes; else the reason for the first field that is true. Not for repairs of
 * drift. */
enum hf_manifest_reason hf_manifest_gate_ask(const struct hf_manifest_gate *gate);

enum hf_manifest_retry {
    HF_MANIFEST_RETRY_NEVER, /* until the entry or its content changes */
    /* of the policy: a person may have changed something on the node or in the cluster */
    HF_MANIFEST_RETRY_INTERVAL,
    HF_MANIFEST_RETRY_BACK_OFF, /* after a growing pause */
};
enum hf_manifest_retry hf_manifest_gate_retry(enum hf_manifest_reason reason);
