/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/cluster_url.h - URLs of Services in the cluster, such as
 * http://source-controller.flux-system.svc.cluster.local./bucket/ns/name/x.tar.gz. A node does not use the cluster's
 * DNS, so it sends a request for such a URL to the ClusterIP that the Service has at the API server. Pure, except that
 * hf_cluster_url_check_address() asks the kernel for the addresses of this node. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"

enum { HF_CLUSTER_URL_MAX = 2048 };

struct hf_cluster_url {
    /* the URL without a final dot in the host's name; `after` points into this text */
    char url[HF_CLUSTER_URL_MAX];
    bool in_cluster;   /* the host is <service>.<namespace>.svc, with or without the domain of the cluster */
    char host[300];    /* host and port (if the URL has one), for the header Host */
    char service[64];  /* name of the Service; set if in_cluster is true */
    char ns[64];       /* namespace of the Service; set if in_cluster is true */
    char before[16];   /* scheme: "http://" or "https://" */
    const char *after; /* text after the host: the port with its colon, the path and the query; each may be absent */
};

/* Splits a URL into its parts. -EINVAL: the URL is neither http nor https, has a user name, or is too long. */
HF_MUST_USE int hf_cluster_url_parse(const char *url, struct hf_cluster_url *ret_url);
/* Checks if the agent may download an archive from `address`, the ClusterIP that a Service has at the API server. A
 * user who may write Services chooses this address, so it must lead neither to this node nor to servers that only
 * this node reaches. -EACCES: the address is loopback, link-local (such as a cloud's metadata service), multicast,
 * reserved, unspecified, an IPv4 address inside an IPv6 address, or an address of this node. -EINVAL: it is not an
 * IP address, for example "None". -EAGAIN: the kernel does not list the addresses of this node. */
HF_MUST_USE int hf_cluster_url_check_address(const char *address);
/* Writes the URL into out[HF_CLUSTER_URL_MAX], with the IP address `address` in place of the host's name. -EINVAL:
 * `address` is not an IP address, or the result is too long. */
HF_MUST_USE int hf_cluster_url_at(const struct hf_cluster_url *url, const char *address, char *out);
