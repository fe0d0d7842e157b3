/* SPDX-License-Identifier: Apache-2.0 */
/* From the manifest of a static pod to what the container runtime wants (CRI, runtime.v1.PodSandboxConfig and
 * ContainerConfig, as `crictl runp` and `crictl create` read them). Pure.
 *
 * What only a kubelet can do is refused by the name of its field, never left out in silence. Ignored are fields that
 * change nothing here: probes, tolerations, priorities, service links. Memory: a pod owns all it has. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "codec/json.h"

enum { HF_ALONE_MAX_CONTAINERS = 16, HF_ALONE_UID = 42, HF_ALONE_NAME = 254 };

#define HF_ALONE_LABEL "edge.codcompass.io/alone" /* of our sandboxes and containers; the value is the entry */

struct hf_alone_container {
    char name[64];
    json_t *config;
};

struct hf_alone_pod {
    char uid[HF_ALONE_UID]; /* "holdfast-" and 32 hex digits of the manifest's hash: another manifest, another uid */
    char name[HF_ALONE_NAME], space[64];
    json_t *sandbox;
    struct hf_alone_container containers[HF_ALONE_MAX_CONTAINERS];
    size_t n_containers;
    json_t *folders; /* of emptyDir volumes, to make before the start: absolute paths */
    json_t *needs;   /* paths of the host that must exist: containerd would make folders of them */
};

struct hf_alone_site {
    const char *entry;
    const char *volumes;       /* folder for emptyDir volumes: <volumes>/<uid>/<name> */
    const char *cgroup_parent; /* a slice, or a path, as the runtime's cgroup driver wants it */
};

/* -EOPNOTSUPP: needs the kubelet; -EBADMSG: not a pod; *err names the field. Free with hf_alone_pod_done(). */
HF_MUST_USE int hf_alone_translate(const json_t *manifest, const struct hf_alone_site *site,
                                   struct hf_alone_pod *ret_pod, struct hf_err *err);
void hf_alone_pod_done(struct hf_alone_pod *pod);
