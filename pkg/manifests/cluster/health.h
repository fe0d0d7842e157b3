/* SPDX-License-Identifier: Apache-2.0 */
/* Is an object what its spec asks for? The rules of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus), except: a Pod in
 * phase Failed is Failed, not Current; one that cannot be scheduled stays InProgress, as clocks may be wrong and the
 * caller has a deadline. Pure. */
#pragma once

#include "codec/json.h"

enum hf_cluster_health_state {
    HF_CLUSTER_CURRENT,
    HF_CLUSTER_IN_PROGRESS, /* or its controller has not seen it yet */
    HF_CLUSTER_FAILED,      /* for good, its controller says */
    HF_CLUSTER_TERMINATING,
};

struct hf_cluster_health {
    enum hf_cluster_health_state state;
    char why[120]; /* such as "2 of 3 replicas are ready"; "": current */
};

/* `object`: with status, as GET returns it. */
struct hf_cluster_health hf_cluster_health_of(const json_t *object);
