/* SPDX-License-Identifier: Apache-2.0 */
/* Gets and renews the client certificate (--client-certificate-dir), as sync/renewal.h decides. Blocks briefly. All
 * functions except new accept NULL. */
#pragma once

#include "kube/kube.h"
#include "loop/world.h"
#include "sync/way.h"
#include "web/metrics.h"

enum { HF_CLIENT_CERTIFICATE_TEXT = 1024 };

struct hf_client_certificate_params {
    struct hf_world world;
    struct hf_kube *kube; /* issues certificates; borrowed */
    const char *node_name, *dir;
    uint64_t lifetime_ns; /* 0: default */
    bool key_in_tpm;      /* new keys are made in the TPM: call hf_tpm_key_provide() before */
    /* Makes the client use this pair from now on; both NULL: the credential of its configuration. */
    int (*use)(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err);
    /* Returns a client with the identity of this node's kubelet, or NULL. This callback and those below may be NULL. */
    struct hf_kube *(*kubelet)(void *arg, struct hf_err *err);
    void (*kubelet_done)(void *arg);
    void (*issued)(void *arg, enum hf_way way, const char *request);
    /* hf_client_certificate_problem() changed; not called before new returns. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_client_certificate;

/* Uses the folder's certificate unless it is unusable (logged) or expired. Requests begin in a later iteration of the
 * loop. */
HF_MUST_USE int hf_client_certificate_new(const struct hf_client_certificate_params *params,
                                          struct hf_client_certificate **ret_certificate, struct hf_err *err);
void hf_client_certificate_free(struct hf_client_certificate *certificate);
HF_DEFINE_CLEANUP(struct hf_client_certificate, hf_client_certificate_free)

/* Call it when the server answered 401. Sets a certificate in use aside, and requests another, but not too
 * often; tries one that is not in use again, unless it has expired. */
void hf_client_certificate_refused(struct hf_client_certificate *certificate);

/* The configuration has another credential, as after `holdfast node enrol`: may end a pause between requests. */
void hf_client_certificate_credential(struct hf_client_certificate *certificate);

/* `uid`: that of this node's Node at the server. Sets aside a certificate for an earlier Node of this name. */
void hf_client_certificate_node(struct hf_client_certificate *certificate, const char *uid);

/* Called once a minute. Sets an expired certificate aside, corrects effects of a wrong clock, and tries a refused
 * certificate again if no other could be had. */
void hf_client_certificate_check(struct hf_client_certificate *certificate);

/* Returns the message of condition ClientCertificateValid, or NULL. It says what is wrong, and the remedy, or, if
 * *ret_valid, how the certificate came. Borrowed until it changes. */
const char *hf_client_certificate_problem(const struct hf_client_certificate *certificate, bool *ret_valid,
                                          const char **ret_reason);
