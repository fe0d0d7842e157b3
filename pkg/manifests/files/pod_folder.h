/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/pod_folder.h - finds the folder from which the kubelet of this node reads static pods. Threads:
 * workers; the function blocks. */
#pragma once

#include "manifests/files/walk.h"

/* Writes the path of the folder, as seen on the node. `configured` is the folder that the node's configuration names;
 * if it is an absolute path, the function writes it without a further check. Otherwise the function reads the command
 * line and the configuration file of a running kubelet, and then looks for the folders of K3s, RKE2, kubeadm and
 * KubeEdge. `earlier` is the folder that has the node's pods already, or "". The function keeps that folder if this
 * process can see kubelets and no kubelet runs, unless it is one of the four: the kubelet that reads it is away.
 * -ENOENT: no folder was found; *err says what to configure, and ret_path is "". */
HF_MUST_USE int hf_pod_folder_find(const struct hf_fs_ops *fs, const char *host_root, const char *configured,
                                   const char *earlier, char ret_path[HF_FILES_MAX_PATH], struct hf_err *err);
