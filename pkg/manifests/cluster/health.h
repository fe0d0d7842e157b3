/* SPDX-License-Identifier: Apache-2.0 */
/* Has an object's controller brought it to what its spec asks for? The rules of kstatus (sigs.k8s.io/cli-utils,
 * pkg/kstatus), but a Pod in phase Failed is Failed, not Current, and one that cannot be scheduled is InProgress at any
 * age, not Failed after 15 s: clocks may be wrong, and the caller has a deadline. Pure. */
#pragma once

#include "codec/json.h"

enum hf_cluster_health_state {
    HF_CLUSTER_CURRENT,
    HF_CLUSTER_IN_PROGRESS, /* a controller works on it, or has not seen it yet */
    HF_CLUSTER_FAILED,      /* its controller reports that it cannot succeed */
    HF_CLUSTER_TERMINATING, /* being deleted */
};

struct hf_cluster_health {
    enum hf_cluster_health_state state;
    char why[120]; /* such as "2 of 3 replicas are ready"; "" for HF_CLUSTER_CURRENT */
};

/* `object`: as GET returns it, with its status. */
struct hf_cluster_health hf_cluster_health_of(const json_t *object);
