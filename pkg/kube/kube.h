/* kube/kube.h - the API server and the MetaServer behind kube/source.h. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "kube/source.h"
#include "loop/http/http.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */

enum hf_kube_api { HF_KUBE_AUTO, HF_KUBE_APISERVER, HF_KUBE_METASERVER };

/* How to reach the server, found in DESIGN 1's order. Owned strings. */
struct hf_kube_config {
    char *server; /* "https://10.0.0.1:6443", no trailing slash */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Files to read again on 401 and every minute (in-cluster, kubeconfig with paths); NULL when inline. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* server: --server; kubeconfig: --kubeconfig (its current-context); both NULL: in-cluster
 * (KUBERNETES_SERVICE_HOST/PORT from `getenv_fn`, service account folder). Blocks (small files). Exec plugins and auth-provider
 * entries are refused by name. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* Re-read the files named in the config. 1: something changed, 0: nothing, -errno (the old values stay). */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

struct hf_kube_params {
    const struct hf_kube_config *config; /* copied by reference: must outlive */
    enum hf_kube_api api;
    const char *field_manager; /* "holdfast-agent" */
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
    /* Asked on 401: read credentials again and put them into the http client. 0, or -errno. May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    uint64_t retry_cap_ns; /* cap of the backoff; SyncPolicy's retryInterval may change it later; 0: 30 s */
    uint64_t spread_ns;    /* see hf_kube_set_spread(); 0: 10 s */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Over how long the fleet's returns are spread after the *server* was away, at most 5 min (DESIGN 8): a hint that grows with the
 * fleet; 0: 10 s. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* The link of this node is back (an address or a route appeared): try now instead of when the backoff ends. */
void hf_kube_nudge(struct hf_kube *kube);

/* Whether the rules of a MetaServer hold: forced, by its address (port 10550 on loopback or 169.254.30.10), or because it
 * behaved like one (a misspelt list kind, a watch that ignores the resourceVersion it was asked from). */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
