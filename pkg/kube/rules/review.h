/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/review.h - finds out if CloudCore, the cloud side of a MetaServer, may list a kind. Private to pkg/kube.
 *
 * CloudCore sends requests to the API server under its own account. This account may not list the agent's kinds until a
 * ClusterRole grants the right (deploy/kubeedge.yaml). Without the right, the MetaServer answers a LIST at once, with
 * status 200, from its own store. The MetaServer also answers from its store while the cloud is not reachable. A
 * SelfSubjectAccessReview distinguishes these two cases. A MetaServer never answers such a review from its store,
 * because the review is a create. So the answer comes from the API server, and it applies to CloudCore's account.
 *
 * The review asks about all namespaces, also for an object in one namespace, because to watch one object, CloudCore
 * lists and watches the whole kind in all namespaces. If CloudCore lacks this right, it waits until it gets the right,
 * and serves no node meanwhile.
 *
 * Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "kube/resource.h"

enum hf_review {
    HF_REVIEW_UNANSWERED, /* no usable answer came, for example because the cloud is not reachable */
    HF_REVIEW_FORBIDDEN,  /* CloudCore may not list this kind */
    /* CloudCore may list this kind; if the MetaServer answered from its own store, a missing right is not the cause */
    HF_REVIEW_ALLOWED,
};

/* hf_review_url() appends the URL, and hf_review_body() the body, of a SelfSubjectAccessReview that asks if CloudCore's
 * account may list the kind. Send the review with POST. Both functions return 0, -E2BIG, -ENOMEM or -EINVAL (snprintf()
 * failed). */
HF_MUST_USE int hf_review_url(const char *server, struct hf_buf *out);
HF_MUST_USE int hf_review_body(const struct hf_resource *resource, struct hf_buf *out);

enum hf_review hf_review_take(int status, struct hf_view body);

/* Sets *err to a text with advice for an administrator. The code of *err is EACCES for HF_REVIEW_FORBIDDEN. Otherwise
 * the code is ENOENT. The cause is then probably that the API server does not have the kind: the MetaServer answers
 * from its store in this case, too. */
void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err);
