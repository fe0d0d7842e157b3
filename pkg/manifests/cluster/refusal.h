/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server's answer about one object means for the run. Pure. */
#pragma once

#include "api/manifest_reason.h"
#include "kube/call.h"

enum { HF_CLUSTER_WHY = 400 };

enum hf_cluster_sense {
    HF_CLUSTER_DONE,
    HF_CLUSTER_AGAIN,
    HF_CLUSTER_REPLACE, /* a field is immutable: delete the object and create it again */
    HF_CLUSTER_REFUSED, /* refused until a person changes something */
};

struct hf_cluster_refusal {
    enum hf_cluster_sense sense;
    enum hf_manifest_reason reason;
    char why[HF_CLUSTER_WHY];
};

struct hf_cluster_refusal hf_cluster_refusal_of(const struct hf_kube_answer *answer);
