/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster. */
#pragma once

#include "manifests/targets/target.h"

struct hf_cluster_run;

/* Zeroed: no step. */
struct entry_cluster {
    struct hf_cluster_run *run; /* NULL: none */
    bool was_unproven;          /* r.unproven at the start of the attempt */
    bool has_just_looked;       /* a look ended: other steps go first */
    /* first check of this Probation, for the deadline; 0: none yet. Starts again if the API server did not
     * answer, or objects were put back. */
    uint64_t probe_ns;
    /* attempts of this rollback that the API server answered: not all objects restored; none taken for now */
    unsigned refused_rollbacks, failed_rollbacks;
};

extern const struct target_ops target_cluster;
