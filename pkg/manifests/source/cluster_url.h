/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of Services, such as http://source-controller.flux-system.svc.cluster.local./bucket/x.tar.gz. A node does not
 * use the cluster's DNS: it asks the API server for the ClusterIP. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"

enum { HF_CLUSTER_URL_MAX = 2048 };

struct hf_cluster_url {
    /* without a final dot in the host's name */
    char url[HF_CLUSTER_URL_MAX];
    bool in_cluster;   /* the host is <service>.<namespace>.svc, with or without the domain of the cluster */
    char host[300];    /* with the port, for the header Host */
    char service[64];  /* set if in_cluster */
    char ns[64];       /* set if in_cluster */
    char before[16];   /* scheme: "http://" or "https://" */
    const char *after; /* what follows the host, in `url` */
};

/* Splits a URL. -EINVAL: neither http nor https, a user name, or too long. */
HF_MUST_USE int hf_cluster_url_parse(const char *url, struct hf_cluster_url *ret_url);
/* May an archive come from this ClusterIP? Whoever writes Services chooses it: it must not lead to this node, or to
 * what only this node reaches. -EACCES: loopback, link-local, multicast, reserved, unspecified, IPv4 in IPv6, or the
 * kernel says: of this node. -EINVAL: no IP address ("None"). -EAGAIN: the kernel did not say. */
HF_MUST_USE int hf_cluster_url_check_address(const char *address);
/* With `address` for the host, in out[HF_CLUSTER_URL_MAX]. -EINVAL: no IP address, or too long. */
HF_MUST_USE int hf_cluster_url_at(const struct hf_cluster_url *url, const char *address, char *out);
