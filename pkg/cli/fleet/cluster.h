/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the API server as kubectl does, and sends a command's requests. Texts of the server may be hostile: error texts
 * are safe for a terminal, objects need hf_plain_tree() (codec/plain.h). No function returns -EBADMSG or -ESTALE: a
 * wrong kubeconfig or a refusal never gives exit code 3. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"
#include "kube/call.h"

#define HF_CLUSTER_OPTIONS HF_CLUSTER_OPTIONS_AND("context of the kubeconfig (its current-context)", false)
#define HF_CLUSTER_OPTIONS_AND(of_context, several)                                                                    \
    HF_CLI_OPTION("kubeconfig", "FILE", "kubeconfig file (KUBECONFIG, else ~/.kube/config, or K3s' own)"),             \
        HF_CLI_OPTION("context", "NAME", of_context, .repeats = (several)),                                            \
        HF_CLI_OPTION("cluster", "NAME", "cluster of the kubeconfig, instead of the context's"),                       \
        HF_CLI_OPTION("user", "NAME", "user of the kubeconfig, instead of the context's"),                             \
        HF_CLI_OPTION("server", "URL", "address of the API server", .letter = 's'),                                    \
        HF_CLI_OPTION("token", "TEXT", "bearer token; other users of this machine can see it"),                        \
        HF_CLI_OPTION("certificate-authority", "FILE", "certificate authority of the API server"),                     \
        HF_CLI_OPTION("insecure-skip-tls-verify", NULL, "accept any certificate of the API server")

struct hf_cluster;
struct hf_loop;

/* Whether an option of HF_CLUSTER_OPTIONS is given; for hf_cluster_is_meant(), --fleet suffices, too. */
bool hf_cluster_requested(const struct hf_cli_args *args);
bool hf_cluster_is_meant(const struct hf_cli_args *args);

bool hf_cluster_has_kubeconfig(void);

/* Calls take() for each context. Stops silently at an unreadable file. */
void hf_cluster_contexts(struct hf_cli *cli, const struct hf_cli_args *args, void (*take)(void *arg, const char *name),
                         void *arg);

/* Sends nothing, but runs the credential plugin. A pod without kubeconfig and options uses its service account. */
HF_MUST_USE int hf_cluster_open(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_cluster **ret_cluster,
                                struct hf_err *err);
/* Opens one of several clusters in `loop`, which outlives it. A NULL `context` is the command line's. */
HF_MUST_USE int hf_cluster_open_in(struct hf_loop *loop, const char *context, struct hf_cli *cli,
                                   const struct hf_cli_args *args, struct hf_cluster **ret_cluster, struct hf_err *err);
void hf_cluster_close(struct hf_cluster *cluster);
HF_DEFINE_CLEANUP(struct hf_cluster, hf_cluster_close)

/* Retries for up to 30 s after 429 and 5xx, but not if no answer came: the request may have been performed.
 * `ret_object` may be NULL; *ret_object is the caller's.
 *
 * -EINVAL: impossible name. -ENOENT. -EEXIST: the object exists, or has changed: read it again. -EACCES: credentials or
 * rights. -EIO: refused, or a wrong certificate. -EREMCHG: another machine's. */
HF_MUST_USE int hf_cluster_call(struct hf_cluster *cluster, const struct hf_kube_call *call, json_t **ret_object,
                                struct hf_err *err);

struct hf_cluster_list {
    const char *api_version, *plural;
    const char *selector;
    bool metadata_only;
    /* `object` is valid during the call. -errno ends the list. */
    int (*each)(void *arg, json_t *object, struct hf_err *err);
    void (*again)(void *arg); /* The list begins anew (its continue token expired): forget all objects. */
    void *arg;
};

#define HF_CLUSTER_LIST(its_version, its_plural, take_each, its_arg, ...)                                              \
    ((struct hf_cluster_list){                                                                                         \
        .api_version = (its_version), .plural = (its_plural), .each = (take_each), .arg = (its_arg), __VA_ARGS__})

/* Calls `each` page by page. Errors of hf_cluster_call() and each(). */
HF_MUST_USE int hf_cluster_each(struct hf_cluster *cluster, const struct hf_cluster_list *list, struct hf_err *err);

HF_MUST_USE int hf_cluster_check_name(const char *name, struct hf_err *err);

struct hf_kube *hf_cluster_kube(const struct hf_cluster *cluster);
const char *hf_cluster_server(const struct hf_cluster *cluster);
/* Explains the failure `r` of `call` in *err: what was asked of which server, for some with a hint. Returns the
 * command's result. */
int hf_cluster_explain(const struct hf_cluster *cluster, const struct hf_kube_call *call, int r, struct hf_err *err);

/* Returns the server's time at its last answer, or before that ours. */
uint64_t hf_cluster_now_unix_ns(const struct hf_cluster *cluster);
void hf_cluster_sleep(struct hf_cluster *cluster, uint64_t ns);
