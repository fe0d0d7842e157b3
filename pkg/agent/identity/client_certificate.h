/* SPDX-License-Identifier: Apache-2.0 */
/* Gets and renews the client certificate (--client-certificate-dir); sync/renewal.h decides. Files: 0600,
 * certificate_folder.h. Blocks briefly. All but new accept NULL. */
#pragma once

#include "kube/kube.h"
#include "loop/world.h"
#include "sync/way.h"
#include "web/metrics.h"

enum { HF_CLIENT_CERTIFICATE_TEXT = 1024 };

struct hf_client_certificate_params {
    struct hf_world world;
    struct hf_kube *kube; /* issuer; borrowed */
    const char *node_name, *dir;
    uint64_t lifetime_ns; /* asked for; 0: default */
    bool key_in_tpm;      /* for new keys; call hf_tpm_key_provide() before */
    /* The client uses this pair from now on; both NULL: its configuration's credential. */
    int (*use)(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err);
    /* The owner's client with the identity of this node's kubelet, read anew. NULL: none. May be NULL. */
    struct hf_kube *(*kubelet)(void *arg, struct hf_err *err);
    /* The kubelet's client is not needed for now. May be NULL. */
    void (*kubelet_done)(void *arg);
    /* A new certificate is on the disk. May be NULL. */
    void (*issued)(void *arg, enum hf_way way, const char *request);
    /* hf_client_certificate_problem() changed; not called before new returns. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_client_certificate;

/* Makes the folder; uses its certificate unless damaged (logged) or expired. Requests begin in the loop's next
 * iteration. */
HF_MUST_USE int hf_client_certificate_new(const struct hf_client_certificate_params *params,
                                          struct hf_client_certificate **ret_certificate, struct hf_err *err);
void hf_client_certificate_free(struct hf_client_certificate *certificate);
HF_DEFINE_CLEANUP(struct hf_client_certificate, hf_client_certificate_free)

/* The server answered 401: sets a certificate in use aside, and requests another, at most once in five minutes. One not
 * in use is tried again, unless expired. */
void hf_client_certificate_refused(struct hf_client_certificate *certificate);

/* The configuration has another credential, as after `holdfast node enrol`: a pause ends. */
void hf_client_certificate_credential(struct hf_client_certificate *certificate);

/* `uid`: of this node's Node, as the server has it. A certificate for an earlier Node of this name is set aside. */
void hf_client_certificate_node(struct hf_client_certificate *certificate, const char *uid);

/* Once a minute: sets an expired certificate aside, corrects the effects of a wrong clock, and tries a refused
 * certificate again if the request for another was refused too. */
void hf_client_certificate_check(struct hf_client_certificate *certificate);

/* The message of ClientCertificateValid, or NULL. *ret_valid false: what is wrong, and the remedy; true: how the
 * certificate came. Borrowed until it changes. */
const char *hf_client_certificate_problem(const struct hf_client_certificate *certificate, bool *ret_valid,
                                          const char **ret_reason);
