/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one file for each static pod of a bundle, named by entry, namespace and pod, such as site_shop_web.yaml. Pure.
 * Owns the names; contents point into the bundle. */
#pragma once

#include "base/err.h"
#include "manifests/source/bundle.h"

enum { HF_PODS_MAX = 256 };

struct hf_pods_item {
    char *name;
    struct hf_view bytes;
};

struct hf_pods {
    struct hf_pods_item *items;
    size_t n, cap;
};

/* -EBADMSG: no Pod, not YAML, or not a v1 Pod with valid names. -EEXIST: a pod twice. -E2BIG: more than HF_PODS_MAX, or
 * YAML's limits. -ENAMETOOLONG. Call hf_pods_done() also after a failure. */
HF_MUST_USE int hf_pods_split(const char *entry, const struct hf_bundle *bundle, struct hf_pods *ret_pods,
                              struct hf_err *err);
void hf_pods_done(struct hf_pods *pods);

/* Makes the file name for the pod in the first document of `text`; the caller frees it. -EBADMSG: no such pod.
 * -ENAMETOOLONG. */
HF_MUST_USE int hf_pods_name(const char *entry, struct hf_view text, char **ret_name);
