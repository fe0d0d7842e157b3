/* kube/kube.h - an API server or a MetaServer as a source (kube/source.h), and how to find it.
 *
 * Threads: loop thread only; the config functions block on small files. Memory: the owner frees an hf_kube;
 * hf_kube_config_done() frees a config's strings and wipes its secrets. Errors: 0 or -errno, *err says why. */
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

/* Address and credentials of the server. The struct owns its strings. */
struct hf_kube_config {
    char *server; /* "https://10.0.0.1:6443", no trailing slash */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Files to read again after a 401 and every minute; NULL for a value that the kubeconfig contains itself. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* Finds the server and the credentials. `server` is the value of --server, `kubeconfig` that of --kubeconfig, of which
 * the current context counts. If both are NULL, uses the in-cluster configuration (the service account's folder, and
 * KUBERNETES_SERVICE_HOST and _PORT from `getenv_fn`). Blocks on small files. -ENOENT: there is no configuration.
 * -EACCES: there are credentials but no TLS. Refuses exec plugins and auth-provider entries; *err names them. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* Reads the files named in the config again. Returns 1 if a value changed, 0 if none did, or -errno (the old values
 * then stay). */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

struct hf_kube_params {
    const struct hf_kube_config *config; /* borrowed: must outlive the hf_kube */
    enum hf_kube_api api;
    const char *field_manager; /* "holdfast-agent" */
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
    /* Called after a 401: reads credentials again and gives them to the http client. 0, or -errno. May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    uint64_t retry_cap_ns; /* longest back-off (0 means 30 s); SyncPolicy's retryInterval may change it later */
    uint64_t spread_ns;    /* see hf_kube_set_spread() (0 means 10 s) */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Sets the time over which the fleet's nodes spread their reconnections after the server (not this node's link) was
 * away. The value should grow with the fleet (0 means 10 s; at most 5 min). */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* Call when the link of this node is back (an address or a route appeared). Subscriptions then retry now, and not only
 * at the end of their back-off. */
void hf_kube_nudge(struct hf_kube *kube);

/* Returns true if the client treats the server as a MetaServer. Reasons are `api`, the address (port 10550 on loopback
 * or 169.254.30.10), or behaviour: a misspelt list kind, or a watch over plain HTTP that sends versions older than the
 * one it resumed from. */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
