/* SPDX-License-Identifier: Apache-2.0 */
/* Asks whether CloudCore, a MetaServer's cloud side, or this client (api/hub.h) may list a kind. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "kube/resource.h"

enum hf_review {
    HF_REVIEW_UNANSWERED, /* no verdict: the cloud may be away */
    HF_REVIEW_FORBIDDEN,
    /* so a missing right is not why the store answered */
    HF_REVIEW_ALLOWED,
};

HF_MUST_USE int hf_review_url(const char *server, struct hf_buf *out);
HF_MUST_USE int hf_review_body(const struct hf_resource *resource, struct hf_buf *out);

enum hf_review hf_review_take(int status, struct hf_view body);

/* Sets *err: EACCES for FORBIDDEN, else ENOENT, because the API server probably lacks the kind. */
void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err);
