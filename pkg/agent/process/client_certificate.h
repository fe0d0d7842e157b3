/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/client_certificate.h - gets a client certificate for this node from the cluster, and renews it in time
 * (--client-certificate-dir). sync/renewal.h decides the next step; this module reads and writes the files, and sends
 * the requests.
 *
 * The folder holds two files with mode 0600. client.pem is the certificate in use and its key, written as one file, so
 * that a power cut leaves either the old or the new pair. pending.key is the key for which the agent requests a
 * certificate. The agent does not use a file if another user owns or can write the file or the folder. The subject of a
 * certificate is O=holdfast:agents, O=holdfast:node-uid:<uid of the Node>, CN=holdfast:agent:<node>. The agent also
 * uses one without the uid, and asks for one with the uid when it starts.
 *
 * Threads: loop thread only. Now and then, a function blocks while it reads or writes a small file. */
#pragma once

#include "base/fs.h"
#include "kube/kube.h"
#include "web/metrics.h"

enum { HF_CLIENT_CERTIFICATE_TEXT = 1024 };
#define HF_CLIENT_CERTIFICATE_LIFETIME_NS (30ull * 24 * 3600 * HF_NS_PER_S) /* the default of lifetime_ns */

struct hf_client_certificate_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    struct hf_log *log;
    struct hf_metrics *metrics; /* may be NULL */
    struct hf_kube *kube;       /* client of the API server that issues the certificate; borrowed */
    const char *node_name, *dir;
    uint64_t lifetime_ns; /* the lifetime to ask for (0 means the default) */
    /* Makes the client of the API server use this certificate and its key. If both are NULL, makes the client use the
     * credential of its configuration instead. Returns 0 or -errno. */
    int (*use)(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err);
    /* Called when the answer of hf_client_certificate_problem() has changed. May be NULL. Not called before
     * hf_client_certificate_new() has returned. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_client_certificate;

/* Makes the folder if it is absent, and uses the certificate in it if there is one. If the node needs a new
 * certificate, requests start with the next iteration of the event loop. Does not use a certificate that is damaged or
 * has expired, and logs a damaged one. */
HF_MUST_USE int hf_client_certificate_new(const struct hf_client_certificate_params *params,
                                          struct hf_client_certificate **ret_certificate, struct hf_err *err);
void hf_client_certificate_free(struct hf_client_certificate *certificate);
HF_DEFINE_CLEANUP(struct hf_client_certificate, hf_client_certificate_free)

/* Call this function when the server has answered 401. If the certificate is in use, the client uses the credential of
 * its configuration from now on, and the agent asks for a new certificate. If the certificate is not in use but has not
 * expired, the client tries it again. Accepts NULL. */
void hf_client_certificate_refused(struct hf_client_certificate *certificate);

/* Call this function when the server shows this node's Node. If the certificate in use is for an earlier Node of the
 * same name, the client uses the credential of its configuration from now on, and the agent asks for a new certificate:
 * the cluster does not accept what the old one writes. At most once in five minutes. Accepts NULL. */
void hf_client_certificate_node(struct hf_client_certificate *certificate, const char *uid);

/* Call this function about once a minute. Stops the use of a certificate that has expired. If this node's clock was
 * wrong, corrects the effects: starts a renewal that is due, and returns to a certificate that has not expired after
 * all. If the server has refused the certificate, and later the request for a new one too, tries the certificate again
 * after five minutes. Accepts NULL. */
void hf_client_certificate_check(struct hf_client_certificate *certificate);

/* Returns NULL if there is no problem. Otherwise returns a text for a person: why the node has no valid client
 * certificate, or why it does not get the next one, and what to do. In this case, sets *ret_reason to the CamelCase
 * reason of the condition ClientCertificateValid. The text is valid until the problem changes. Accepts NULL. */
const char *hf_client_certificate_problem(const struct hf_client_certificate *certificate, const char **ret_reason);
