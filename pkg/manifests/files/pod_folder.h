/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of static pods of this node's kubelet. Threads: workers; blocks. */
#pragma once

#include "manifests/files/walk.h"

/* As seen on the node. `configured`, if absolute, is taken unchecked. Otherwise: command line and configuration of a
 * running kubelet, then the folders of K3s, RKE2, kubeadm and KubeEdge. `earlier` has the node's pods already, or is
 * "": it is kept if this process can see kubelets and none runs, unless it is one of the four: its kubelet is away.
 * -ENOENT: none; *err says what to configure, and ret_path is "". */
HF_MUST_USE int hf_pod_folder_find(const struct hf_fs_ops *fs, const char *host_root, const char *configured,
                                   const char *earlier, char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
