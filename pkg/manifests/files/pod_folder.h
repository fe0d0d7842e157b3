/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the folder in which this node's kubelet looks for static pods. */
#pragma once

#include "manifests/files/walk.h"

/* Writes the folder's path on the node, the first of: `configured`, if absolute and not "/" (unchecked); what a running
 * kubelet's command line or configuration names; `earlier`; an existing folder of K3s, RKE2, kubeadm or KubeEdge.
 * `earlier`, where pods are already (or ""), counts only if it exists, is none of those four, and this process has the
 * rights to see a kubelet. -ENOENT: none; *err says what to configure. */
HF_MUST_USE int hf_pod_folder_find(const struct hf_fs_ops *fs, const char *host_root, const char *configured,
                                   const char *earlier, char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
