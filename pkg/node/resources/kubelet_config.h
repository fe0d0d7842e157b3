/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/kubelet_config.h - reads the settings by which this node's kubelet frees disk space and rotates logs,
 * so that conditions can name them. The agent never changes these settings.
 *
 * Reads the first of these that exists and is not damaged: /var/lib/kubelet/config.yaml (kubeadm); K3s, then RKE2: the
 * list kubelet-arg of /etc/rancher/k3s/config.yaml and config.yaml.d, and the files that its kubelet merges, in
 * /var/lib/rancher/k3s/agent/etc/kubelet.conf.d; /etc/kubeedge/config/edgecore.yaml (the part tailoredKubeletConfig).
 * Blocks. Threads: any. */
#pragma once

#include <stdint.h>

#include "node/probe.h"

struct hf_kubelet_config {
    bool found; /* one of the files exists and can be read */
    /* disk usage, in percent, at which the kubelet begins to remove unused images; 0 if the file sets none */
    unsigned image_gc_high;
    char eviction[96];      /* thresholds of hard eviction for disks, such as "nodefs.available<10%"; "" if none */
    uint64_t log_max_bytes; /* size at which the kubelet rotates a container's log; 0 if the file sets none */
    unsigned log_max_files; /* number of files of a container's log; 0 if the file sets none */
};

/* Reads the settings. A damaged file counts as not found. */
void hf_kubelet_config_read(const struct hf_probe_root *at, struct hf_kubelet_config *ret_config);

/* Writes to text[n] a sentence about what the kubelet does when the disk fills; "" if nothing is known. */
void hf_kubelet_config_describe(const struct hf_kubelet_config *config, char *text, size_t n);
