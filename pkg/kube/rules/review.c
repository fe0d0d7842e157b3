/* SPDX-License-Identifier: Apache-2.0 */
/* CloudCore asks under its own account, which needs a ClusterRole (deploy/kubeedge.yaml); without it the MetaServer
 * answers a LIST at once with 200 from its store, as while the cloud is away. A SelfSubjectAccessReview tells: as a
 * create it is never answered from the store, and applies to CloudCore's account. For all namespaces, also for one
 * object, because CloudCore watches the whole kind. */
#include "kube/rules/review.h"

#include <errno.h>
#include <string.h>

#include "codec/json.h"

enum { MAX_ANSWER_BYTES = 64 << 10 };

/* "edge.codcompass.io" of "edge.codcompass.io/v1alpha1"; the core group has none. */
static int group_length(const struct hf_resource *resource)
{
    const char *slash = strchr(resource->api_version, '/');

    return slash != NULL ? (int)(slash - resource->api_version) : 0;
}

int hf_review_url(const char *server, struct hf_buf *out)
{
    return hf_buf_addf(out, "%s/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", server);
}

int hf_review_body(const struct hf_resource *resource, struct hf_buf *out)
{
    return hf_buf_addf(out,
                       "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":"
                       "{\"resourceAttributes\":{\"verb\":\"list\",\"group\":\"%.*s\",\"resource\":\"%s\"}}}",
                       group_length(resource), resource->api_version, hf_resource_plural(resource));
}

enum hf_review hf_review_take(int status, struct hf_view body)
{
    static const struct hf_json_limits limits = {.max_bytes = MAX_ANSWER_BYTES};
    _cleanup_(hf_json_freep) json_t *root = NULL;

    if ((status != 200 && status != 201) || hf_json_parse(body, &limits, &root, NULL) < 0 ||
        strcmp(hf_json_str_or(root, "kind", ""), "SelfSubjectAccessReview") != 0)
        return HF_REVIEW_UNANSWERED;
    const json_t *allowed = hf_json_at(root, "status.allowed");
    if (!json_is_boolean(allowed)) /* a proxy that echoes the question */
        return HF_REVIEW_UNANSWERED;
    return json_is_true(allowed) ? HF_REVIEW_ALLOWED : HF_REVIEW_FORBIDDEN;
}

void hf_review_explain(enum hf_review review, const struct hf_resource *resource, struct hf_err *err)
{
    if (review == HF_REVIEW_FORBIDDEN && resource->ns != NULL)
        (void)hf_err_set(
            err, EACCES,
            "CloudCore is not allowed to list %s in all namespaces, as it does for a watch: give its account the verbs "
            "get, list and watch on them in a ClusterRole",
            hf_resource_plural(resource));
    else if (review == HF_REVIEW_FORBIDDEN)
        (void)hf_err_set(
            err, EACCES,
            "CloudCore is not allowed to list %s.%.*s, so the MetaServer answers from its own store: kubectl apply "
            "-f crds/ -f deploy/kubeedge.yaml",
            hf_resource_plural(resource), group_length(resource), resource->api_version);
    else if (resource->ns != NULL)
        (void)hf_err_set(err, ENOENT,
                         "CloudCore may list %s in namespace '%s', and the MetaServer still answers from its own "
                         "store: is the kind installed in the cluster?",
                         hf_resource_plural(resource), resource->ns);
    else
        (void)hf_err_set(err, ENOENT,
                         "CloudCore may list %s.%.*s, and the MetaServer still answers from its own store: is the kind "
                         "installed (kubectl apply -f crds/)?",
                         hf_resource_plural(resource), group_length(resource), resource->api_version);
}
