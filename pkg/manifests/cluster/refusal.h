/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/refusal.h - decides from the API server's answer to a request about one object what to do next, and
 * makes the text for a person. Pure. Threads: any. */
#pragma once

#include "api/manifest_reason.h"
#include "kube/call.h"

enum { HF_CLUSTER_WHY = 400 };

/* What an answer means for the run. */
enum hf_cluster_sense {
    HF_CLUSTER_DONE,    /* the server has carried out the request */
    HF_CLUSTER_AGAIN,   /* the server cannot answer now; send the request again later */
    HF_CLUSTER_REPLACE, /* a changed field is immutable; the object must be deleted and created again */
    HF_CLUSTER_REFUSED, /* the server refuses the request until a person changes something */
};

struct hf_cluster_refusal {
    enum hf_cluster_sense sense;
    enum hf_manifest_reason reason; /* not set for HF_CLUSTER_DONE */
    char why[HF_CLUSTER_WHY];       /* "" for HF_CLUSTER_DONE */
};

/* Judges the answer to any request about one object. */
struct hf_cluster_refusal hf_cluster_refusal_of(const struct hf_kube_answer *answer);
