/* SPDX-License-Identifier: Apache-2.0 */
/* Translates a static pod's manifest for the container runtime (CRI, runtime.v1.PodSandboxConfig and ContainerConfig,
 * read by `crictl runp` and `crictl create`). Pure.
 *
 * Refuses fields that need a kubelet, and names them. Ignores fields without effect here, such as probes, tolerations,
 * priorities, service links. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "codec/json.h"

enum { HF_ALONE_MAX_CONTAINERS = 16, HF_ALONE_UID = 42, HF_ALONE_NAME = 254 };

#define HF_ALONE_LABEL "edge.codcompass.io/alone" /* label of our sandboxes and containers; its value is the entry */

struct hf_alone_container {
    char name[64];
    json_t *config;
};

struct hf_alone_pod {
    char uid[HF_ALONE_UID]; /* "holdfast-" and 32 hex digits: hash of manifest, entry, cgroup_parent */
    char name[HF_ALONE_NAME], space[64];
    json_t *sandbox;
    struct hf_alone_container containers[HF_ALONE_MAX_CONTAINERS];
    size_t n_containers;
    json_t *folders; /* folders to make for emptyDir volumes; absolute paths */
    json_t *needs;   /* paths that must exist, or containerd would make folders there */
};

struct hf_alone_site {
    const char *entry;
    const char *volumes;       /* emptyDir volumes are <volumes>/<uid>/<name> */
    const char *cgroup_parent; /* slice or path, as the runtime's cgroup driver wants */
};

/* -EOPNOTSUPP: a field needs a kubelet. -EBADMSG: not a valid Pod. *err names the field. Free with
 * hf_alone_pod_done(). */
HF_MUST_USE int hf_alone_translate(const json_t *manifest, const struct hf_alone_site *site,
                                   struct hf_alone_pod *ret_pod, struct hf_err *err);
void hf_alone_pod_done(struct hf_alone_pod *pod);
