/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/review.h - may CloudCore, the cloud side of a MetaServer, list a kind? Private to pkg/kube. Pure.
 *
 * CloudCore sends requests under its own account, which needs a ClusterRole to list the agent's kinds
 * (deploy/kubeedge.yaml). Without this right the MetaServer answers a LIST at once with 200 from its own store, as
 * while the cloud is away. A SelfSubjectAccessReview tells the two apart: it is a create, which is never answered from
 * the store, so the answer comes from the API server and applies to CloudCore's account.
 *
 * It asks about all namespaces, also for one object: to watch one, CloudCore lists and watches the whole kind. Without
 * the right it waits for it, and serves no node meanwhile. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "kube/resource.h"

enum hf_review {
    HF_REVIEW_UNANSWERED, /* no usable answer, for example because the cloud is away */
    HF_REVIEW_FORBIDDEN,
    /* an answer from the store has another cause than a missing right */
    HF_REVIEW_ALLOWED,
};

/* URL and body of the review, for a POST. Return 0, -E2BIG, -ENOMEM or -EINVAL (snprintf() failed). */
HF_MUST_USE int hf_review_url(const char *server, struct hf_buf *out);
HF_MUST_USE int hf_review_body(const struct hf_resource *resource, struct hf_buf *out);

enum hf_review hf_review_take(int status, struct hf_view body);

/* Advice for an administrator. The code is EACCES for HF_REVIEW_FORBIDDEN, else ENOENT: the API server probably lacks
 * the kind, for which the MetaServer answers from its store, too. */
void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err);
