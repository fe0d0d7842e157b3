/* SPDX-License-Identifier: Apache-2.0 */
/* kube/upstream.h - one API server that a process uses, with its configuration, its credentials, its HTTP client and
 * its source. Threads: loop thread only. */
#pragma once

#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;      /* registry of metrics; may be NULL */
    const char *server, *kubeconfig; /* arguments `server` and `kubeconfig` of hf_kube_config_find() */
    enum hf_kube_api api;
    const char *user_agent;    /* header User-Agent, such as "holdfast-agent/0.1.0" */
    const char *field_manager; /* field manager for server-side apply, such as "holdfast-agent" */
    bool fleet;                /* see struct hf_kube_params */
    uint64_t max_skew_ns;      /* see struct hf_http_config */
    /* Called after a 401, or when this node does not trust the certificate of the server, but at most once in 5 s.
     * Before this call, the upstream reads the files of the configuration again. The function may call
     * hf_upstream_use_certificate(). May be NULL. */
    void (*refused)(void *arg);
    void *arg;
};

struct hf_upstream;

/* Reads the configuration and the credentials from small files, and blocks meanwhile. Returns NULL on failure, with the
 * reason in *err; `err` must not be NULL. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);
/* Returns the client, for calls of kube/call.h. The client belongs to `upstream`. */
struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream);

/* Returns a client for the kubelet of this node, https://127.0.0.1:10250, with the credentials of `upstream`. The
 * client accepts only a certificate that the CA of the API server signed for the name `node_name` (borrowed). Without
 * this check, a local user who listens on that port while the kubelet is down could get the credentials. If the
 * configuration has no such CA, or does not verify certificates, each request fails with -EKEYREJECTED. The client
 * takes no memory before its first request. */
const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name);

/* Uses this client certificate and its key (PEM; copied) instead of all other credentials. If both are NULL, uses the
 * credentials of the configuration again. Returns 0 or -errno. */
HF_MUST_USE int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem,
                                            const char *key_pem, struct hf_err *err);

/* The functions below do nothing if `upstream` is NULL. */

/* Returns true if the CA or a credential comes from a file of its own, which may change while the agent runs. */
bool hf_upstream_has_files(const struct hf_upstream *upstream);

/* Reads the credentials from their files again, and logs failures. */
void hf_upstream_reload(struct hf_upstream *upstream);

/* Applies the maximum back-off and the maximum clock skew of a SyncPolicy. */
void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns);

/* Returns the traffic and the round-trip time of the requests to the API server; all zero if `upstream` is NULL. */
struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream);

/* Call this function when the network is back. Subscriptions that wait because the server was unreachable then retry at
 * once. */
void hf_upstream_nudge(struct hf_upstream *upstream);
