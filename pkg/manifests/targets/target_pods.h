/* SPDX-License-Identifier: Apache-2.0 */
/* The target StaticPods. */
#pragma once

#include "manifests/targets/target.h"

struct attempt;
struct hf_kubelet_health;

struct entry_pods {
    struct hf_kubelet_health *health;
    struct hf_kubelet_health *again; /* checks an applied set again; the entry is not busy meanwhile */
    struct attempt *good;            /* an attempt with the good set, while a job compares it with the newest */
    bool due;                        /* an interval of the policy has passed */
};

extern const struct target_ops target_pods;
