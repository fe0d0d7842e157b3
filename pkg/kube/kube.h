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
    char *server;
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Files that hf_kube_config_reload() rereads; or NULL. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* Takes the current context of `kubeconfig`; `server` replaces its address, or stands alone. Both
 * NULL: in-cluster (service account, KUBERNETES_SERVICE_HOST and _PORT). -ENOENT: nothing given, or no such file.
 * -EINVAL: bad URL or port. -EACCES: credentials over http:// beyond loopback. -EBADMSG: bad kubeconfig, credentials or
 * token. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* As hf_kube_config_find(), with a kubeconfig in memory; `path` is for errors and relative file names. */
HF_MUST_USE int hf_kube_config_parse(const struct hf_fs_ops *fs, struct hf_view text, const char *path,
                                     struct hf_kube_config *ret_config, struct hf_err *err);

/* Rereads the files. Returns 1 if anything changed, else 0; after -errno nothing has changed. */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

/* The result borrows both arguments. */
struct hf_http_config hf_kube_config_http(const struct hf_kube_config *config, const char *user_agent);

struct hf_kube_params {
    /* borrowed */
    const struct hf_kube_config *config;
    enum hf_kube_api api;
    const char *field_manager;
    struct hf_world world;
    const struct hf_http_ops *http;
    /* Rereads the HTTP client's credentials; called after a 401 or an untrusted server's answer, at most once in 5 s.
     * May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    /* Follows all objects of a cluster: up to HF_LEDGER_FLEET_OBJECTS a subscription; LISTs come from the API server's
     * store, at most 500 objects a page; Nodes come as metadata only. */
    bool fleet;
    uint64_t retry_cap_ns; /* longest back-off, unless denied; 0: 30 s */
    uint64_t spread_ns;    /* initial value of hf_kube_set_spread() */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Follows one object in a namespace (ConfigMap, Secret, Service, GitRepository, OCIRepository, Bucket or
 * ExternalArtifact) until unsubscribe(). `gone` comes also if it never existed. LOST with EACCES: no right; with
 * ENOENT: no such kind. -EINVAL: another kind, bad `ns`, or empty `name`. */
HF_MUST_USE int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                               const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                               struct hf_err *err);

/* Sets the time over which a fleet returns to a server that was away (0: 10 s; at most 5 min). An EdgeUpdate may
 * lengthen this time. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* Call when the network is back: what waits for an unreachable server retries. */
void hf_kube_nudge(struct hf_kube *kube);

/* Call after a restored backup: all subscriptions list twice; only the second list shows what is gone. Behind a
 * MetaServer they list once. */
void hf_kube_restored(struct hf_kube *kube);

bool hf_kube_is_metaserver(const struct hf_kube *kube);
