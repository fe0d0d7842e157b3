/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/kubelet/verdict.h - judges the static pods of an entry from the list of pods that a kubelet or the API
 * server returns. Pure. Threads: any, but only one at a time for one list.
 *
 * The kubelet appends "-<node>" to the name of a static pod, and gives it an annotation with a hash of its file. Until
 * the kubelet has read a new file, the pod keeps the hash of the old file. Some changes of a file leave the hash as it
 * is: the kubelet computes the hash after it has filled in the defaults, and uses metadata.uid as the hash if the file
 * has this field. */
#pragma once

#include "codec/json.h"

enum hf_kubelet_state {
    HF_KUBELET_READY,   /* all pods are ready, or have succeeded */
    HF_KUBELET_PENDING, /* at least one pod is not ready, and none has failed */
    HF_KUBELET_FAILED,  /* at least one pod has failed, or crashes again and again */
    /* neither the kubelet nor the API server answered; hf_kubelet_verdict_of() does not return this state */
    HF_KUBELET_UNKNOWN,
};

struct hf_kubelet_verdict {
    enum hf_kubelet_state state;
    /* true if the state is HF_KUBELET_PENDING for one reason alone: the list leaves open whether the kubelet has read
     * the new files */
    bool unread;
    char why[200]; /* "" for HF_KUBELET_READY */
};

/* A list of pods, and what it proves about files that have changed. */
struct hf_kubelet_list {
    const json_t *pods; /* array of Pods; may contain pods that `wanted` does not name */
    /* true if the kubelet may not have read the files since they changed; a pod that `wanted` calls `unsure` then
     * counts as not ready */
    bool early;
    /* True if the kubelet has certainly read the files since they changed. A pod that still has the hash of the old
     * file is then the pod of the new file, and the change has left the hash as it was. */
    bool read;
};

/* Judges the pods that `wanted` names. `wanted` is an array of objects {"namespace", "name", "hash", "unsure"}, with
 * the namespace and the name that the file states. `hash` is the hash that the pod had before its file changed; absent
 * if the pod did not exist then or its hash is unknown. `unsure` is true if the pod may have existed then and its hash
 * is unknown; otherwise absent. The function sets apiVersion and kind in the Pods that it judges. */
struct hf_kubelet_verdict hf_kubelet_verdict_of(const json_t *wanted, const char *node,
                                                const struct hf_kubelet_list *list);

/* Returns the hashes of the static pods in a list, as a new object {"<namespace>/<name with the node>": hash} with at
 * most 256 members, or NULL if memory runs out. */
json_t *hf_kubelet_hashes_of(const json_t *pods);
