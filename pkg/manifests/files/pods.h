/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/pods.h - splits the files of a bundle into YAML documents, one for each static pod, and names them
 * for the kubelet's folder.
 *
 * The kubelet reads one pod from each file. It knows a pod by namespace and name; if two files hold the same pod, the
 * file whose name sorts last wins, and the path of the file is part of the pod's UID. So the pod alone names its file,
 * whatever file of the source it comes from: the pod `web` in the namespace `shop` of the entry `site` is in
 * `site_shop_web.yaml`. If this name were too long, the first 80 characters of the pod's name and 32 hexadecimal digits
 * of its SHA-256 take the place of the pod's name: `site_shop_web..._2c26b4....yaml`. Documents with only comments are
 * left out.
 *
 * Earlier versions of the agent named the files by the source, such as `site-web-pod-2.yaml`. '_' sorts after '-' and
 * '.', so the kubelet prefers a file of today to one of those that nobody manages any more.
 *
 * Pure. Memory: struct hf_pods owns the names; the contents point into the bundle. */
#pragma once

#include "base/err.h"
#include "manifests/source/bundle.h"

/* Maximum number of pods of one entry: the agent looks at the health of each of them, and a kubelet runs at
 * most 110 pods by default. */
enum { HF_PODS_MAX = 256 };

struct hf_pods_item {
    char *name;
    struct hf_view bytes;
};

struct hf_pods {
    struct hf_pods_item *items;
    size_t n, cap;
};

/* Splits a sealed bundle. On failure *err names the file and the document. -EBADMSG: the bundle has no Pod, or a
 * document is not YAML or not a v1 Pod with a name that Kubernetes allows. -EEXIST: two documents have the same pod.
 * -E2BIG: the bundle has more than HF_PODS_MAX pods. -ENAMETOOLONG: a name for the kubelet's folder would be too long.
 * -ENOMEM: out of memory. Call hf_pods_done() also after a failure. */
HF_MUST_USE int hf_pods_split(const char *entry, const struct hf_bundle *bundle, struct hf_pods *ret_pods,
                              struct hf_err *err);
void hf_pods_done(struct hf_pods *pods);

/* Returns the name that the file of a pod has, in *ret_name, to be freed. `text` is the content of a file in the
 * kubelet's folder, of which the kubelet reads the first document. -EBADMSG: it holds no such pod. -ENAMETOOLONG,
 * -ENOMEM. */
HF_MUST_USE int hf_pods_name(const char *entry, struct hf_view text, char **ret_name);
