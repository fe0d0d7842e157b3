/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target_cluster.h - the target Cluster. */
#pragma once

#include "manifests/targets/target.h"

struct hf_cluster_run;

/* Zeroed memory is an entry without a step. */
struct entry_cluster {
    struct hf_cluster_run *run; /* in progress; NULL: none */
    bool was_unproven;          /* value of r.unproven when the attempt began */
    bool has_just_looked;       /* a look for drift has just ended, so what else the entry has to do comes first */
    /* Monotonic time of the first check of this Probation, from which the deadline counts; 0: not yet. It starts again
     * if the API server did not answer, or if changed objects were put back. */
    uint64_t probe_ns;
    /* of the rollback in progress: the API server answered, but did not restore all objects, or took none at all */
    unsigned refused_rollbacks, failed_rollbacks;
};

extern const struct target_ops target_cluster;
