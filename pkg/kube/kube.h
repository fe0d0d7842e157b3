/* SPDX-License-Identifier: Apache-2.0 */
/* An API server or KubeEdge's MetaServer as a source (kube/source.h). hf_kube_config_find(), _parse() and _reload()
 * block for small files; hf_kube_config_done() overwrites secrets. */
#pragma once

#include "kube/source.h"
#include "loop/http/http.h"
#include "loop/world.h"

struct hf_metrics;

enum hf_kube_api { HF_KUBE_AUTO, HF_KUBE_APISERVER, HF_KUBE_METASERVER };

/* Owned strings, or NULL. */
struct hf_kube_config {
    char *server; /* no final slash */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Their files, for hf_kube_config_reload(); or NULL. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* Takes --kubeconfig's current context; --server replaces its address, or is alone. Both NULL: in-cluster (service
 * account, KUBERNETES_SERVICE_HOST and _PORT). -ENOENT: nothing given, or no such file. -EINVAL: URL or port. -EACCES:
 * credentials over http:// beyond loopback. -EBADMSG: kubeconfig, credentials or token, or a refused field
 * (kube/api/kubeconfig.h). -E2BIG: a file above 1 MiB. Others: unreadable. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* hf_kube_config_find() of a kubeconfig in memory; `path`: for errors and relative file names. */
HF_MUST_USE int hf_kube_config_parse(const struct hf_fs_ops *fs, struct hf_view text, const char *path,
                                     struct hf_kube_config *ret_config, struct hf_err *err);

/* Rereads the files. 1: changed, 0: not; after -errno unchanged. */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

/* Borrows both. */
struct hf_http_config hf_kube_config_http(const struct hf_kube_config *config, const char *user_agent);

struct hf_kube_params {
    /* borrowed */
    const struct hf_kube_config *config;
    enum hf_kube_api api;
    const char *field_manager; /* server-side apply's */
    struct hf_world world;     /* its fs is unused */
    const struct hf_http_ops *http;
    /* After a 401 or an untrusted certificate, once in 5 s at most: read credentials, give them to the HTTP client. May
     * be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    /* For all objects of a cluster: HF_LEDGER_FLEET_OBJECTS a subscription; an API server's LISTs come from the store,
     * 500 a page, and of Nodes only metadata. */
    bool fleet;
    uint64_t retry_cap_ns; /* 0: 30 s */
    uint64_t spread_ns;    /* before hf_kube_set_spread(); 0: 10 s */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* One object in a namespace: ConfigMap, Secret, Service, GitRepository, OCIRepository, Bucket, ExternalArtifact. `gone`
 * comes also if it never existed; behind a MetaServer never for Secret, Service and Bucket. LOST with EACCES: no right;
 * ENOENT: no such kind. Behind YurtHub Services never have contact (rules/origin.h). End by unsubscribe(). -EINVAL:
 * another kind, bad `ns`, empty `name`. */
HF_MUST_USE int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                               const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                               struct hf_err *err);

/* Over this time the fleet returns to a server that was away (0: 10 s; at most 5 min). An agent's client lengthens it
 * to 200 ms per node of an EdgeUpdate. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* The network is back: what waits for an unreachable server retries. */
void hf_kube_nudge(struct hf_kube *kube);

/* The caller found a restored backup: all subscriptions list twice and report all objects; only the second list shows
 * what is gone. Behind a MetaServer they list once. */
void hf_kube_restored(struct hf_kube *kube);

/* HF_KUBE_AUTO: by address (port 10550 on loopback or 169.254.30.10), a misspelt list kind (resource.h), or over plain
 * HTTP an event not newer than where the watch resumed. */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
