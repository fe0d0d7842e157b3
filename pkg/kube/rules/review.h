/* kube/rules/review.h - finds out if the cloud behind a MetaServer may list a kind for us. Private to pkg/kube.
 *
 * CloudCore asks the API server with its own account, which may not list our kinds until a ClusterRole grants that
 * right (deploy/kubeedge.yaml). Without this right, the MetaServer answers a LIST at once, with 200, from its own
 * store, as it also does while the cloud is away. A SelfSubjectAccessReview tells these two cases apart. A MetaServer
 * never answers this request from its store, because it is a create, so the answer comes from the API server and is
 * about CloudCore's account.
 *
 * Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "kube/resource.h"

enum hf_review {
    HF_REVIEW_UNANSWERED, /* no usable answer came, for example because the cloud is away */
    HF_REVIEW_FORBIDDEN,  /* the cloud has no permission to list this kind */
    HF_REVIEW_ALLOWED,    /* the cloud may list this kind: the MetaServer used its own store for another reason */
};

/* Append the URL and the body of a SelfSubjectAccessReview that asks if CloudCore's account may list the kind. Send it
 * with POST. Both return 0, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_review_url(const char *server, struct hf_buf *out);
HF_MUST_USE int hf_review_body(const struct hf_resource *resource, struct hf_buf *out);

enum hf_review hf_review_take(int status, struct hf_view body);

/* Sets *err to a text that tells an administrator what to do: The code is EACCES for HF_REVIEW_FORBIDDEN, else
 * ENOENT, because the MetaServer also answers from its store if the API server does not have the kind. */
void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err);
