/* SPDX-License-Identifier: Apache-2.0 */
/* One file for each static pod of a bundle, and its name in the kubelet's folder.
 *
 * The kubelet reads one pod per file, and of two files with the same pod (namespace and name) takes the name that sorts
 * last; the path is part of the pod's UID. So the pod alone names its file: `web` in the namespace `shop` of the entry
 * `site` is site_shop_web.yaml; too long a name becomes its first 80 characters and 32 hex digits of its SHA-256:
 * site_shop_web..._2c26b4....yaml. Earlier agents named files by the source (site-web-pod-2.yaml); '_' sorts after '-'
 * and '.', so those of today win. Documents with only comments are left out.
 *
 * Pure. Owns the names; contents point into the bundle. */
#pragma once

#include "base/err.h"
#include "manifests/source/bundle.h"

/* Pods of one entry; each one's health is looked at, and a kubelet runs at most 110 by default. */
enum { HF_PODS_MAX = 256 };

struct hf_pods_item {
    char *name;
    struct hf_view bytes;
};

struct hf_pods {
    struct hf_pods_item *items;
    size_t n, cap;
};

/* Splits a sealed bundle; *err names file and document. -EBADMSG: no Pod, not YAML, or not a v1 Pod with a valid name.
 * -EEXIST: a pod twice. -E2BIG: more than HF_PODS_MAX. -ENAMETOOLONG. hf_pods_done() also after a failure. */
HF_MUST_USE int hf_pods_split(const char *entry, const struct hf_bundle *bundle, struct hf_pods *ret_pods,
                              struct hf_err *err);
void hf_pods_done(struct hf_pods *pods);

/* The file name of the pod in the first document of `text`, as the kubelet reads it; free it. -EBADMSG: no such pod.
 * -ENAMETOOLONG. */
HF_MUST_USE int hf_pods_name(const char *entry, struct hf_view text, char **ret_name);
