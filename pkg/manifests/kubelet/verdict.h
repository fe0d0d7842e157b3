/* SPDX-License-Identifier: Apache-2.0 */
/* Judges static pods by the list of a kubelet or API server. */
#pragma once

#include "codec/json.h"

enum hf_kubelet_state {
    HF_KUBELET_READY, /* all pods are ready or have succeeded */
    HF_KUBELET_PENDING,
    HF_KUBELET_FAILED, /* a pod has failed, or crashes again and again */
    /* nobody answered; not from hf_kubelet_verdict_of() */
    HF_KUBELET_UNKNOWN,
};

struct hf_kubelet_verdict {
    enum hf_kubelet_state state;
    /* pending only because the kubelet may not have read the new files */
    bool unread;
    char why[200];
};

/* A list of pods, and what it proves about changed files. */
struct hf_kubelet_list {
    const json_t *pods;
    /* the kubelet may not have read the files since their change: `unsure` pods are not ready */
    bool early;
    /* the kubelet certainly has read them: a pod with the old hash is that of the new file */
    bool read;
};

/* `wanted`: [{"namespace", "name", "hash", "unsure"}], names as in the file. `hash`: the pod's hash before the change,
 * absent if unknown. `unsure`: true if there may have been a pod of unknown hash. Sets apiVersion and kind of the Pods
 * that it judges. */
struct hf_kubelet_verdict hf_kubelet_verdict_of(const json_t *wanted, const char *node,
                                                const struct hf_kubelet_list *list);

/* Returns {"<namespace>/<name with the node>": hash}, at most 256; free it. */
json_t *hf_kubelet_hashes_of(const json_t *pods);
