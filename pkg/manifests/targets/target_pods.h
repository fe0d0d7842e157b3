/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/target_pods.h - the target StaticPods. */
#pragma once

#include "manifests/targets/target.h"

struct attempt;
struct hf_kubelet_health;

struct entry_pods {
    struct hf_kubelet_health *health; /* a step: do the pods run? NULL: nobody asks */
    struct hf_kubelet_health *again;  /* a repeated check of an applied set; the entry is not busy meanwhile */
    struct attempt *good;             /* the good set, while a job compares it with the newest set */
    bool due;                         /* an interval of the policy has passed, so check the pods again */
};

extern const struct target_ops target_pods;
