/* SPDX-License-Identifier: Apache-2.0 */
/* Where this node's kubelet looks for static pods. */
#pragma once

#include "manifests/files/walk.h"

/* As seen on the node: `configured`, if absolute, unchecked; else from command line and configuration of a running
 * kubelet, then the folders of K3s, RKE2, kubeadm and KubeEdge. `earlier` has the node's pods already, or is "": if no
 * kubelet runs (and this process could see one), it is kept, unless it is one of these four. -ENOENT: none; *err says
 * what to configure, ret_path is "". */
HF_MUST_USE int hf_pod_folder_find(const struct hf_fs_ops *fs, const char *host_root, const char *configured,
                                   const char *earlier, char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
