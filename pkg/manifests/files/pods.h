/* manifests/files/pods.h - splits the files of a bundle into YAML documents, one for each static pod, and names them
 * for the kubelet's folder.
 *
 * The kubelet reads one pod from each file. Document number k of the file `web/pod.yaml` of the entry `site` becomes
 * `site-web-pod-k.yaml`, or `site-web-pod.yaml` if the file has only one pod. Documents with only comments are left
 * out. Pure. Memory: struct hf_pods owns the names; the contents point into the bundle. */
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

/* Splits a sealed bundle. -EBADMSG: the bundle has no Pod, or a document is not YAML or not a v1 Pod with a name; *err
 * names the file and the document. -E2BIG: the bundle has more than HF_PODS_MAX pods. -ENAMETOOLONG: a name for the
 * kubelet's folder would be too long. -ENOMEM: out of memory. Call hf_pods_done() also after a failure. */
HF_MUST_USE int hf_pods_split(const char *entry, const struct hf_bundle *bundle, struct hf_pods *ret_pods,
                              struct hf_err *err);
void hf_pods_done(struct hf_pods *pods);
