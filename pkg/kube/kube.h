/* SPDX-License-Identifier: Apache-2.0 */
/* kube/kube.h - an API server or KubeEdge's MetaServer as a source (kube/source.h), and its address and credentials.
 *
 * Threads: hf_kube_config_find(), _parse() and _reload() block while they read small files. Memory:
 * hf_kube_config_done() overwrites the secrets. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "kube/source.h"
#include "loop/http/http.h"
#include "loop/sched.h"

struct hf_metrics;

enum hf_kube_api { HF_KUBE_AUTO, HF_KUBE_APISERVER, HF_KUBE_METASERVER };

/* Owns its strings; NULL: not configured. */
struct hf_kube_config {
    char *server; /* URL without a slash at its end */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* The files of these values, for hf_kube_config_reload(); NULL: no file of its own. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* `server` and `kubeconfig` are the values of --server, which precedes, and --kubeconfig, of which the current context
 * is used. Both NULL: the in-cluster configuration (service account, KUBERNETES_SERVICE_HOST and _PORT from
 * `getenv_fn`). -ENOENT: no configuration, or a file is absent. -EINVAL: bad URL or port. -EACCES: credentials, but the
 * URL is http:// and its host not loopback. -EBADMSG: bad kubeconfig, file of credentials or token, or a field that
 * kube/api/kubeconfig.h refuses (*err names it). -E2BIG: a file above 1 MiB. Others: a file is unreadable. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* The same for a kubeconfig in memory. `path`: its name in errors; file names in it are relative to its folder. */
HF_MUST_USE int hf_kube_config_parse(const struct hf_fs_ops *fs, struct hf_view text, const char *path,
                                     struct hf_kube_config *ret_config, struct hf_err *err);

/* Returns 1 if a value changed, 0 if not; after -errno the config is unchanged. */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

/* Borrows `user_agent` and the strings of `config`. */
struct hf_http_config hf_kube_config_http(const struct hf_kube_config *config, const char *user_agent);

struct hf_kube_params {
    /* borrowed */
    const struct hf_kube_config *config;
    enum hf_kube_api api;
    const char *field_manager; /* for server-side apply */
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
    /* After a 401 or an untrusted server certificate, at most once in 5 s: must read the credentials again and pass
     * them to the HTTP client. May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    /* For a program that follows every object of a cluster: a subscription holds up to HF_LEDGER_FLEET_OBJECTS instead
     * of HF_LEDGER_MAX_OBJECTS objects; not behind a MetaServer, also: lists come from the store in pages of 500, and
     * Nodes with only their metadata. */
    bool fleet;
    uint64_t retry_cap_ns; /* maximum back-off; 0: 30 s */
    uint64_t spread_ns;    /* until hf_kube_set_spread(); 0: 10 s */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Follows one object in a namespace: a ConfigMap, Secret, Service, GitRepository, OCIRepository, Bucket or
 * ExternalArtifact. `gone` comes when the server has confirmed that it does not exist, also if it never did; behind a
 * MetaServer never for a Secret, Service or Bucket. Contact LOST with EACCES: a right is missing; with ENOENT: the
 * server lacks the kind. Behind YurtHub a Service never has contact (kube/rules/origin.h). Ends with
 * hf_source_ops.unsubscribe. -EINVAL: another kind, a bad `ns`, or an empty `name`. */
HF_MUST_USE int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                               const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                               struct hf_err *err);

/* The time over which the fleet spreads its reconnections to a server that was away (0: 10 s; at most 5 min). If an
 * EdgeUpdate shows a large fleet, an agent's client lengthens it to 200 ms for each node, within the maximum. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* The network of this node is back: subscriptions that wait for an unreachable server retry now. */
void hf_kube_nudge(struct hf_kube *kube);

/* Something else than this client's lists shows that the server continues from a restored backup: all subscriptions
 * list twice, and report all objects whatever their versions. Only the second list shows what is gone. */
void hf_kube_restored(struct hf_kube *kube);

/* HF_KUBE_AUTO decides by the address (port 10550 on loopback or 169.254.30.10) or the behavior: a misspelt list kind
 * (kube/resource.h) or, over plain HTTP, a watch event with a version not newer than that from which the watch
 * resumed. */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
