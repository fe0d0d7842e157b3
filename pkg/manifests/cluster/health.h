/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/health.h - judges from an object of the API alone whether its controller has brought it to the
 * state that its spec asks for.
 *
 * The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus), as Flux and kpt use them, with two differences.
 * A Pod that has ended in phase Failed is Failed, although kstatus calls it Current. A Pod that the scheduler cannot
 * place is InProgress at any age, although kstatus calls it Failed after 15 s: clocks of small nodes may be wrong, and
 * the caller's own deadline ends the wait. Pure. Threads: any. */
#pragma once

#include "codec/json.h"

enum hf_cluster_health_state {
    HF_CLUSTER_CURRENT,     /* the cluster is in the state that the object's spec asks for */
    HF_CLUSTER_IN_PROGRESS, /* a controller works on it, or has not seen it yet */
    HF_CLUSTER_FAILED,      /* the controller reports that it cannot succeed */
    HF_CLUSTER_TERMINATING, /* the object is being deleted */
};

struct hf_cluster_health {
    enum hf_cluster_health_state state;
    char why[120]; /* such as "2 of 3 replicas are ready"; "" for HF_CLUSTER_CURRENT */
};

/* Judges an object as GET returns it, with its status. */
struct hf_cluster_health hf_cluster_health_of(const json_t *object);
