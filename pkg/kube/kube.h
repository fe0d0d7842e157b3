/* kube/kube.h - an API server or a MetaServer as a source (kube/source.h), and functions that find the address and
 * credentials of this server.
 *
 * Threads: loop thread only; the hf_kube_config_*() functions block while they read small files. Memory:
 * hf_kube_config_done() frees the strings of a config and overwrites its secrets. Errors: functions return 0, or -errno
 * with the reason in *err. */
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
    char *server; /* URL without a slash at its end, such as "https://10.0.0.1:6443" */
    char *ca_pem;
    char *client_cert_pem;
    char *client_key_pem;
    char *token;
    char *tls_server_name;
    bool insecure_skip_verify;
    /* Paths of the files that hold these values, so that hf_kube_config_reload() can read them again. NULL for a value
     * that the kubeconfig itself contains. */
    char *ca_file, *client_cert_file, *client_key_file, *token_file;
};
void hf_kube_config_done(struct hf_kube_config *config);

/* Finds the server and the credentials. `server` is the value of --server. `kubeconfig` is the value of --kubeconfig;
 * its current context is used. If `server` and `kubeconfig` are NULL, uses the in-cluster configuration (the service
 * account's folder, and KUBERNETES_SERVICE_HOST and _PORT from `getenv_fn`). Blocks while it reads small files.
 * -ENOENT: there is no configuration. -EINVAL: the URL of the server is invalid. -EACCES: there are credentials, but
 * the URL begins with http:// and its host is not loopback. -EBADMSG: the kubeconfig or the token is invalid, or the
 * kubeconfig has a field that kube/api/kubeconfig.h refuses; *err then names the field. */
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
    /* Called after a 401. The function must read the credentials again and pass them to the HTTP client. Returns 0 or
     * -errno. May be NULL. */
    int (*reauthenticate)(void *arg, struct hf_err *err);
    void *arg;
    /* True for a program that follows every object of a cluster, such as the controller: a subscription then has room
     * for HF_LEDGER_FLEET_OBJECTS objects (kube/rules/ledger.h), lists come from the store in pages of 500 objects, and
     * Nodes come with their metadata alone. False for an agent, whose subscriptions have room for HF_LEDGER_MAX_OBJECTS
     * objects. Has no effect behind a MetaServer. */
    bool fleet;
    uint64_t retry_cap_ns; /* maximum back-off (0 means 30 s); hf_kube_set_retry_cap() may change it later */
    uint64_t spread_ns;    /* initial value for hf_kube_set_spread() (0 means 10 s) */
};

struct hf_kube;
struct hf_kube *hf_kube_new(const struct hf_kube_params *params, struct hf_err *err);
void hf_kube_free(struct hf_kube *kube);
HF_DEFINE_CLEANUP(struct hf_kube, hf_kube_free)
const struct hf_source_ops *hf_kube_source(struct hf_kube *kube);
void hf_kube_set_retry_cap(struct hf_kube *kube, uint64_t cap_ns);

/* Sets the time over which the nodes of the fleet spread their reconnections after the server was unreachable for all
 * of them (0 means 10 s; the maximum is 5 min). The client makes the time longer by itself when the status of an
 * EdgeUpdate shows a large fleet: 150 ms for each node. */
void hf_kube_set_spread(struct hf_kube *kube, uint64_t spread_ns);

/* Call this function when the network of this node is back (an address or a route appeared). Subscriptions that wait in
 * a back-off then retry now. */
void hf_kube_nudge(struct hf_kube *kube);

/* Returns true if the client treats the server as a MetaServer. The reason is the parameter `api`, the server's address
 * (port 10550 on loopback or 169.254.30.10) or the server's behaviour. A MetaServer shows itself by a misspelt list
 * kind, and over plain HTTP also by a watch that sends versions older than the version from which the watch resumed. */
bool hf_kube_is_metaserver(const struct hf_kube *kube);
