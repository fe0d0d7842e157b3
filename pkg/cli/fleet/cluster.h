/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/cluster.h - connects one command to the API server and sends requests. It finds the server as kubectl does.
 *
 * A command blocks: hf_cluster_call() runs the event loop until the answer is there. Every text from the server may be
 * hostile. In error texts, hf_cluster_call() and hf_cluster_each() replace the characters that act on a terminal.
 * Before a command prints objects, it must call hf_plain_tree() (codec/plain.h).
 *
 * Main thread only. Errors: 0 or -errno; *err names the server and the resource of a failed request, often with a hint.
 * No function returns -EBADMSG or -ESTALE, so a wrong kubeconfig or a refusal of the server ends with exit code 1, not
 * 3 ("not yet"). */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"
#include "kube/call.h"

/* The options of a command that needs the cluster: the last rows of its array of options. */
#define HF_CLUSTER_OPTIONS                                                                                             \
    {.name = "kubeconfig", .value = "FILE", .help = "kubeconfig file (KUBECONFIG, else ~/.kube/config)"},              \
        {.name = "context", .value = "NAME", .help = "context of the kubeconfig (its current-context)"},               \
        {.name = "cluster", .value = "NAME", .help = "cluster of the kubeconfig, instead of the context's"},           \
        {.name = "user", .value = "NAME", .help = "user of the kubeconfig, instead of the context's"},                 \
        {.name = "server", .value = "URL", .letter = 's', .help = "address of the API server"},                        \
        {.name = "token", .value = "TEXT", .help = "bearer token; other users of this machine can see it"},            \
        {.name = "certificate-authority", .value = "FILE", .help = "certificate authority of the API server"},         \
    {                                                                                                                  \
        .name = "insecure-skip-tls-verify", .help = "accept any certificate of the API server"                         \
    }

struct hf_cluster;

/* Returns true if the command line has one of HF_CLUSTER_OPTIONS. */
bool hf_cluster_requested(const struct hf_cli_args *args);

/* Returns true if a command that can also be about this node has --fleet, or one of HF_CLUSTER_OPTIONS. */
bool hf_cluster_is_meant(const struct hf_cli_args *args);

/* Returns true if the variable KUBECONFIG is set or ~/.kube/config exists. */
bool hf_cluster_has_kubeconfig(void);

/* Calls `take` with the name of each context of the kubeconfig files. Files that cannot be read have none. */
void hf_cluster_contexts(struct hf_cli *cli, const struct hf_cli_args *args, void (*take)(void *arg, const char *name),
                         void *arg);

/* Finds the server and the credentials, and runs the credential plugin if the kubeconfig names one. Sends nothing to
 * the server. In a pod without a kubeconfig and without HF_CLUSTER_OPTIONS, uses the service account of the pod. */
HF_MUST_USE int hf_cluster_open(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_cluster **ret_cluster,
                                struct hf_err *err);
void hf_cluster_close(struct hf_cluster *cluster);
HF_DEFINE_CLEANUP(struct hf_cluster, hf_cluster_close)

/* Sends one request and waits for its answer. After 429 and 5xx, repeats the request for up to 30 s. Does not repeat a
 * request without an answer, because the server may have performed it. *ret_object (may be NULL) receives the answer,
 * which the caller owns.
 * -EINVAL: no object can have this name. -ENOENT: no such object. -EEXIST: the object exists already or has changed
 * meanwhile; read it again. -EACCES: the server does not accept the credentials, or the user may not do this.
 * -EIO: the server refused the request, or one side does not accept the certificate of the other. Other codes usually
 * mean that the server is unreachable. */
HF_MUST_USE int hf_cluster_call(struct hf_cluster *cluster, const struct hf_kube_call *call, json_t **ret_object,
                                struct hf_err *err);

struct hf_cluster_list {
    const char *api_version, *plural;
    const char *selector; /* label selector as in `kubectl -l`, or NULL */
    bool metadata_only;
    /* Called for each object. The object is valid during the call only. Returns 0, or -errno to end the list. */
    int (*each)(void *arg, json_t *object, struct hf_err *err);
    /* Called when the list begins again, because its continue token has expired. The caller must forget all objects so
     * far. */
    void (*again)(void *arg);
    void *arg;
};

/* Lists objects page by page, so that memory does not grow with the number of objects. */
HF_MUST_USE int hf_cluster_each(struct hf_cluster *cluster, const struct hf_cluster_list *list, struct hf_err *err);

/* Returns the time of the server at its last answer; without such a time, returns the time of this machine. */
uint64_t hf_cluster_now_unix_ns(const struct hf_cluster *cluster);
void hf_cluster_sleep(struct hf_cluster *cluster, uint64_t ns);
