/* SPDX-License-Identifier: Apache-2.0 */
/* The credential by which an agent asks for its client certificate. Pure. */
#pragma once

#include <stdbool.h>

enum hf_way {
    HF_WAY_NONE,        /* each one was refused: pause, then again from the first */
    HF_WAY_CERTIFICATE, /* renewal */
    HF_WAY_CONFIGURED,
    HF_WAY_KUBELET,
    HF_WAYS,
};

struct hf_way_facts {
    bool certificate;  /* one is in use */
    bool kubelet;      /* the agent may use the kubelet's identity */
    unsigned excluded; /* hf_way_bit() of the ways that were refused in this round */
};

unsigned hf_way_bit(enum hf_way way);
enum hf_way hf_way_next(const struct hf_way_facts *facts);

/* Reasons of ClientCertificateValid and CertificateIssued: "ByCertificate", "ByConfiguration", "ByKubelet"; "". */
const char *hf_way_reason(enum hf_way way);
/* "the credential of its configuration"; "" */
const char *hf_way_text(enum hf_way way);
