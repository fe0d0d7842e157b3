/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster. */
#pragma once

#include "manifests/targets/target.h"

struct hf_cluster_run;

/* Zeroed: no step. */
struct entry_cluster {
    struct hf_cluster_run *run;
    bool was_unproven; /* r.unproven at the start of the attempt */
    bool has_just_looked;
    /* When this Probation was first checked, for the deadline; 0: not yet, or it starts again. */
    uint64_t probe_ns;
    /* answered attempts in a row that failed; `failed_rollbacks`: restored no object, but may succeed later */
    unsigned refused_rollbacks, failed_rollbacks;
};

extern const struct target_ops target_cluster;
