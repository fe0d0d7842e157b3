/* SPDX-License-Identifier: Apache-2.0 */
/* The credentials with which the agent may ask for a client certificate. */
#pragma once

#include <stdbool.h>

enum hf_way {
    HF_WAY_NONE,        /* all were refused: pause, then begin with the first */
    HF_WAY_CERTIFICATE, /* the certificate in use, for a renewal */
    HF_WAY_CONFIGURED,
    HF_WAY_KUBELET,
    HF_WAYS,
};

struct hf_way_facts {
    bool certificate;
    bool kubelet;      /* the agent may use the kubelet's identity */
    unsigned excluded; /* hf_way_bit() of each way refused in this round */
};

unsigned hf_way_bit(enum hf_way way);
enum hf_way hf_way_next(const struct hf_way_facts *facts);

/* A reason for ClientCertificateValid and CertificateIssued, such as "ByKubelet". */
const char *hf_way_reason(enum hf_way way);
const char *hf_way_text(enum hf_way way);
