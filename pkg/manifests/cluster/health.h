/* SPDX-License-Identifier: Apache-2.0 */
/* Judges whether an object is what its spec asks for, by the rules of kstatus (sigs.k8s.io/cli-utils). Among the
 * exceptions: a Pod in phase Failed is Failed, not Current; a Pod that cannot be scheduled stays InProgress. Pure. */
#pragma once

#include "codec/json.h"

enum hf_cluster_health_state {
    HF_CLUSTER_CURRENT,
    HF_CLUSTER_IN_PROGRESS, /* changing, not ready, or not yet seen by its controller */
    HF_CLUSTER_FAILED,      /* failed, as its status says */
    HF_CLUSTER_TERMINATING,
};

struct hf_cluster_health {
    enum hf_cluster_health_state state;
    char why[120]; /* such as "2 of 3 replicas are ready"; "": current */
};

struct hf_cluster_health hf_cluster_health_of(const json_t *object);
