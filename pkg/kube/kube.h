/* SPDX-License-Identifier: Apache-2.0 */
/* kube/kube.h - an API server or KubeEdge's MetaServer as a source (kube/source.h), and functions that find the address
 * and the credentials of this server.
 *
 * Threads: loop thread only; hf_kube_config_find(), hf_kube_config_parse() and hf_kube_config_reload() block while they
 * read small files. Memory: hf_kube_config_done() overwrites the secrets of a config and frees its strings. Errors:
 * functions that return int return -errno on failure, and hf_kube_new() returns NULL; *err then has the reason. */
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

/* Address and credentials of the server. The struct owns its strings. A string is NULL if the configuration does not
 * have the value. */
struct hf_kube_config {
    char *server; /* URL without a slash at its end, such as "https://10.0.0.1:6443" */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Paths of the files that hold these values, so that hf_kube_config_reload() can read them again. NULL for a value
     * that does not come from a file of its own. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* Finds the server and the credentials. `server` is the value of --server. `kubeconfig` is the value of --kubeconfig;
 * its current context is used. If both are given, `server` replaces the server of the kubeconfig. If both are NULL,
 * uses the in-cluster configuration (the service account's folder, and KUBERNETES_SERVICE_HOST and _PORT from
 * `getenv_fn`). Blocks while it reads small files. -ENOENT: there is no configuration, or a file is absent. -EINVAL:
 * the URL of the server or KUBERNETES_SERVICE_PORT is invalid. -EACCES: there are credentials, but the URL begins with
 * http:// and its host is not loopback. -EBADMSG: the kubeconfig, a file with credentials or the token is invalid, or
 * the kubeconfig has a field that kube/api/kubeconfig.h refuses; *err then names the field. -E2BIG: a file is larger
 * than 1 MiB. Other -errno: a file is unreadable. */
HF_MUST_USE int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                                    const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                                    struct hf_err *err);

/* Like hf_kube_config_find(), for a kubeconfig that the caller holds as `text`. `path` is the name of the kubeconfig in
 * error texts; relative file names in the kubeconfig start in its folder. */
HF_MUST_USE int hf_kube_config_parse(const struct hf_fs_ops *fs, struct hf_view text, const char *path,
                                     struct hf_kube_config *ret_config, struct hf_err *err);

/* Reads again the files that the config names. Returns 1 if a value changed, 0 if no value changed, or -errno. After
 * -errno the config is unchanged. */
HF_MUST_USE int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err);

/* Returns the configuration of an HTTP client for this server, with the credentials. The result borrows `user_agent`
 * and the strings of `config`. */
struct hf_http_config hf_kube_config_http(const struct hf_kube_config *config, const char *user_agent);

struct hf_kube_params {
    /* address and credentials of the server; borrowed, and must outlive the hf_kube */
    const struct hf_kube_config *config;
    enum hf_kube_api api;
    const char *field_manager; /* field manager for server-side apply, such as "holdfast-agent" */
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_log *log;         /* log of the client; may be NULL */
    struct hf_metrics *metrics; /* registry of metrics; may be NULL */
    /* Called after a 401, or when this node does not trust the certificate of the server, but at most once in 5 s. The
     * function must read the credentials again and pass them to the HTTP client. Returns 0 or -errno. May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    /* True for a program that follows every object of a cluster, such as the controller: a subscription then holds up
     * to HF_LEDGER_FLEET_OBJECTS objects (kube/rules/ledger.h), lists come from the server's store in pages of 500
     * objects, and Nodes come with only their metadata. False for an agent, whose subscriptions hold up to
     * HF_LEDGER_MAX_OBJECTS objects. Behind a MetaServer, `fleet` changes only this maximum number of objects. */
    bool fleet;
    uint64_t retry_cap_ns; /* maximum back-off (0 means 30 s); hf_kube_set_retry_cap() may change it later */
    uint64_t spread_ns;    /* the spread until hf_kube_set_spread() changes it (0 means 10 s) */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Follows one object in a namespace: a ConfigMap, Secret, Service, GitRepository, OCIRepository, Bucket or
 * ExternalArtifact. The rules for the callbacks of `sink` are in kube/source.h. `gone` comes when the server has
 * confirmed that the object does not exist, also if the object never existed. After an outage of the link, the
 * subscription resumes from the last resourceVersion. If `contact` reports LOST, the code EACCES in *err means that a
 * right is missing, and the code ENOENT means that the server does not have the kind. Behind a MetaServer, `gone` never
 * comes for a Secret, a Service or a Bucket. Behind YurtHub, a subscription to a Service never has contact
 * (kube/rules/origin.h). End the subscription with hf_source_ops.unsubscribe. -EINVAL: the client does not follow such
 * a kind, `ns` is not the name of a namespace, or `name` is empty. */
HF_MUST_USE int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                               const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                               struct hf_err *err);

/* Sets the time over which the nodes of the fleet spread their reconnections after the server was unreachable for all
 * of them (0 means 10 s; the maximum is 5 min). If the status of an EdgeUpdate shows a large fleet, the client of an
 * agent lengthens the time to 200 ms multiplied by the number of nodes, but not beyond the maximum. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* Call this function when the network of this node is back (an address or a route appeared). Subscriptions that wait
 * because the server was unreachable then retry now. */
void hf_kube_nudge(struct hf_kube *kube);

/* Call this function when something else than this client's lists shows that the server continues from a restored
 * backup. All subscriptions list twice, and report all objects again, whatever their versions. Only the second list
 * shows what is gone. */
void hf_kube_restored(struct hf_kube *kube);

/* Returns true if the client treats the server as a MetaServer. The parameter `api` of hf_kube_new() decides this. With
 * HF_KUBE_AUTO, the server's address (port 10550 on loopback or 169.254.30.10) or its behavior decides. A server
 * behaves like a MetaServer if it misspells a list kind (kube/resource.h) or, over plain HTTP, if a watch sends a
 * version that is not newer than the version from which the watch resumed. */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
