/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/gate.h - decides if an entry may start to apply a new set now, and when the engine tries a failed set
 * again. Pure. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"

/* The present state of the node and of the entry. */
struct hf_manifest_gate {
    bool held;             /* the site's own order not to change anything is in force */
    bool stale;            /* contact is lost for longer than staleOk.window, and onExpiry is Hold */
    bool no_space;         /* the disk of the state folder is critically full */
    bool dependency_waits; /* an entry of dependsOn is not applied */
};

/* Returns HF_MANIFEST_REASON_NONE if the entry may apply a new set now. Otherwise returns the reason for the first
 * field that is true. This gate does not apply to the repair of drift. */
enum hf_manifest_reason hf_manifest_gate_ask(const struct hf_manifest_gate *gate);

enum hf_manifest_retry {
    HF_MANIFEST_RETRY_NEVER, /* no retry; the next attempt follows a change of the entry or of its content */
    /* once per interval of the policy, because a person may have changed something on the node or in the cluster */
    HF_MANIFEST_RETRY_INTERVAL,
    HF_MANIFEST_RETRY_BACK_OFF, /* after a growing pause */
};
enum hf_manifest_retry hf_manifest_gate_retry(enum hf_manifest_reason reason);
