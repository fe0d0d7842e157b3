/* SPDX-License-Identifier: Apache-2.0 */
/* One API server, with its credentials, HTTP client and source. */
#pragma once

#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    struct hf_world world;
    const char *server, *kubeconfig; /* as in hf_kube_config_find() */
    enum hf_kube_api api;
    const char *user_agent;
    const char *field_manager;
    bool fleet;           /* as in struct hf_kube_params */
    uint64_t max_skew_ns; /* as in struct hf_http_config */
    /* Called after a 401 or an untrusted server's answer, at most once in 5 s, once the files are reread. May call
     * hf_upstream_use_certificate(). May be NULL. */
    void (*refused)(void *arg);
    /* CA or credentials in a file have changed. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_upstream;

/* Blocks for small files. `err` must not be NULL. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);
struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream);

/* Returns an HTTP client of this node's kubelet, https://127.0.0.1:10250, with these credentials. Accepts only a
 * certificate of the API server's CA for `node_name` (borrowed), as any local user could listen there.
 * Its start() returns -EKEYREJECTED: no CA, or verification is off. */
const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name);

/* Replaces all other credentials by this PEM, which is copied; both NULL: the configuration's credentials count
 * again. */
HF_MUST_USE int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem,
                                            const char *key_pem, struct hf_err *err);

/* Functions from here on accept NULL. */

/* Whether CA or credentials are in files, which may change. */
bool hf_upstream_has_files(const struct hf_upstream *upstream);

void hf_upstream_reload(struct hf_upstream *upstream);

void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns);

struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream);

void hf_upstream_nudge(struct hf_upstream *upstream);
