/* kube/rules/review.h - finds out if the cloud behind a MetaServer may list a kind for us. Private to pkg/kube.
 *
 * CloudCore asks the API server with its own account, which has no right on our kinds until a ClusterRole grants it
 * (deploy/kubeedge.yaml). The MetaServer then answers the LIST at once, with 200, from its own store: the same answer
 * as while the cloud is away. A SelfSubjectAccessReview shows the difference: it is a create, which a MetaServer never
 * answers from its store, so the answer is the API server's, about CloudCore's account.
 *
 * Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "kube/resource.h"

enum hf_review {
    HF_REVIEW_UNANSWERED, /* the cloud is away, or gives no answer */
    HF_REVIEW_FORBIDDEN,  /* the cloud may not list this kind */
    HF_REVIEW_ALLOWED,    /* the cloud may list it: the list came from the store for another reason */
};

/* Append the URL to POST the review to, and its body: "may you list this kind?". 0, -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_review_url(const char *server, struct hf_buf *out);
HF_MUST_USE int hf_review_body(const struct hf_resource *resource, struct hf_buf *out);

enum hf_review hf_review_take(int status, struct hf_view body);

/* Sets *err to a text that tells an administrator what to do: EACCES when it is forbidden; ENOENT when it is allowed
 * and the store still answers, as CloudCore does for a kind that the API server does not know. */
void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err);
