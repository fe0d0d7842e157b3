/* SPDX-License-Identifier: Apache-2.0 */
/* How the kubelet frees disk space and rotates logs, for conditions. Blocks.
 *
 * First undamaged one of: /var/lib/kubelet/config.yaml (kubeadm); K3s, then RKE2: kubelet-arg in
 * /etc/rancher/k3s/config.yaml and config.yaml.d, and /var/lib/rancher/k3s/agent/etc/kubelet.conf.d;
 * /etc/kubeedge/config/edgecore.yaml (tailoredKubeletConfig). */
#pragma once

#include <stdint.h>

#include "node/probe.h"

struct hf_kubelet_config {
    bool found;             /* numbers: 0 if not set */
    unsigned image_gc_high; /* percent */
    char eviction[96];      /* "nodefs.available<10%"; "" */
    uint64_t log_max_bytes; /* of a container's log */
    unsigned log_max_files;
};

void hf_kubelet_config_read(const struct hf_probe_root *at, struct hf_kubelet_config *ret_config);

/* A sentence; "". */
void hf_kubelet_config_describe(const struct hf_kubelet_config *config, char *text, size_t n);
