/* SPDX-License-Identifier: Apache-2.0 */
/* kube/upstream.h - one API server that a process uses: configuration, credentials, HTTP client and source. */
#pragma once

#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;      /* may be NULL */
    const char *server, *kubeconfig; /* as for hf_kube_config_find() */
    enum hf_kube_api api;
    const char *user_agent;    /* such as "holdfast-agent/0.1.0" */
    const char *field_manager; /* for server-side apply */
    bool fleet;                /* see struct hf_kube_params */
    uint64_t max_skew_ns;      /* see struct hf_http_config */
    /* After a 401 or an untrusted server certificate, at most once in 5 s, when the files of the configuration have
     * been read again. May call hf_upstream_use_certificate(). May be NULL. */
    void (*refused)(void *arg);
    /* A credential in the configuration's files has changed; must not send requests. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_upstream;

/* Blocks while it reads small files. NULL on failure, with the reason in *err, which must not be NULL. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);
/* For calls of kube/call.h; belongs to `upstream`. */
struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream);

/* A client for this node's kubelet, https://127.0.0.1:10250, with the credentials of `upstream`. Accepts only a
 * certificate of the API server's CA for the name `node_name` (borrowed): otherwise a local user who listens on that
 * port while the kubelet is down could get the credentials. Without such a CA, or without verification, each request
 * fails with -EKEYREJECTED. Needs no memory before its first request. */
const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name);

/* Uses this certificate and key (PEM; copied) instead of all other credentials; both NULL: the configuration's
 * again. */
HF_MUST_USE int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem,
                                            const char *key_pem, struct hf_err *err);

/* The functions below do nothing if `upstream` is NULL. */

/* The CA or a credential comes from a file of its own, which may change. */
bool hf_upstream_has_files(const struct hf_upstream *upstream);

/* Reads the credentials from their files again; logs failures. */
void hf_upstream_reload(struct hf_upstream *upstream);

void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns);

/* Of the requests to the API server; zero if `upstream` is NULL. */
struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream);

/* As hf_kube_nudge(). */
void hf_upstream_nudge(struct hf_upstream *upstream);
