/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of Services, such as http://source-controller.flux-system.svc.cluster.local./bucket/x.tar.gz. Nodes do not use
 * the cluster's DNS: the API server knows the ClusterIP. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"

enum { HF_CLUSTER_URL_MAX = 2048 };

struct hf_cluster_url {
    /* without a final dot in the host's name */
    char url[HF_CLUSTER_URL_MAX];
    bool in_cluster; /* host <service>.<namespace>.svc, with or without a domain */
    char host[300];  /* the host with its port, for the header Host */
    char service[64];
    char ns[64];
    char before[16];   /* "http://" or "https://" */
    const char *after; /* the part behind the host; in `url` */
};

/* -EINVAL: such as neither http nor https, a user name, or too long. */
HF_MUST_USE int hf_cluster_url_parse(const char *url, struct hf_cluster_url *ret_url);
/* Whether an archive may come from this ClusterIP. Whoever writes Services chooses it, so it must not lead to this
 * node. -EACCES: loopback, link-local, multicast, unspecified, reserved (IPv4), IPv4-mapped or -compatible, or of this
 * node. -EINVAL: no IP address ("None"). -EAGAIN: the kernel did not say. */
HF_MUST_USE int hf_cluster_url_check_address(const char *address);
/* Writes the URL with `address` as its host. -EINVAL: no IP address, or too long. */
HF_MUST_USE int hf_cluster_url_at(const struct hf_cluster_url *url, const char *address, char *out);
