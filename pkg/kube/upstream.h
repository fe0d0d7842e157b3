/* SPDX-License-Identifier: Apache-2.0 */
/* One API server, with credentials, HTTP client and source. */
#pragma once

#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    struct hf_world world;
    const char *server, *kubeconfig; /* hf_kube_config_find()'s */
    enum hf_kube_api api;
    const char *user_agent;
    const char *field_manager; /* server-side apply's */
    bool fleet;                /* struct hf_kube_params */
    uint64_t max_skew_ns;      /* struct hf_http_config */
    /* After a 401 or an untrusted certificate, once in 5 s at most; files are read again before. May call
     * hf_upstream_use_certificate(). May be NULL. */
    void (*refused)(void *arg);
    /* A file's credential changed. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_upstream;

/* Blocks for small files. NULL: *err, which must not be NULL. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);
/* Borrowed. */
struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream);

/* This node's kubelet, https://127.0.0.1:10250, with these credentials. Accepts only a certificate of the API server's
 * CA for `node_name` (borrowed): a local user may listen there while the kubelet is down. Without CA or verification:
 * -EKEYREJECTED. */
const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name);

/* PEM, copied, replaces all other credentials; both NULL: the configuration's return. */
HF_MUST_USE int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem,
                                            const char *key_pem, struct hf_err *err);

/* Functions from here on accept NULL. */

/* CA or credentials are in files, which may change. */
bool hf_upstream_has_files(const struct hf_upstream *upstream);

/* Rereads credentials; logs failures. */
void hf_upstream_reload(struct hf_upstream *upstream);

void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns);

/* Bytes of the requests to the API server; NULL: zero. */
struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream);

/* hf_kube_nudge(). */
void hf_upstream_nudge(struct hf_upstream *upstream);
