/* SPDX-License-Identifier: Apache-2.0 */
/* Finds how the kubelet frees disk space and rotates logs. Blocks.
 *
 * Reads the first undamaged one of: /var/lib/kubelet/config.yaml (kubeadm); K3s, then RKE2: kubelet-arg in
 * /etc/rancher/k3s/config.yaml and config.yaml.d (and files it names), and
 * /var/lib/rancher/k3s/agent/etc/kubelet.conf.d; /etc/kubeedge/config/edgecore.yaml (tailoredKubeletConfig). */
#pragma once

#include <stdint.h>

#include "node/probe.h"

struct hf_kubelet_config {
    bool found;             /* a file was read; numbers not set are 0 */
    unsigned image_gc_high; /* percent */
    char eviction[96];      /* such as "nodefs.available<10%", or "" */
    uint64_t log_max_bytes; /* one file of a container's log */
    unsigned log_max_files;
};

void hf_kubelet_config_read(const struct hf_probe_root *at, struct hf_kubelet_config *ret_config);

/* Writes a sentence, or "". */
void hf_kubelet_config_describe(const struct hf_kubelet_config *config, char *text, size_t n);
