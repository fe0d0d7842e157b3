/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials for getting a client certificate. */
#pragma once

#include <stdbool.h>

enum hf_way {
    HF_WAY_NONE,        /* all refused: pause, then from the first */
    HF_WAY_CERTIFICATE, /* renewal */
    HF_WAY_CONFIGURED,
    HF_WAY_KUBELET,
    HF_WAYS,
};

struct hf_way_facts {
    bool certificate;  /* one is in use */
    bool kubelet;      /* may the agent use its identity? */
    unsigned excluded; /* hf_way_bit() of those refused in this round */
};

unsigned hf_way_bit(enum hf_way way);
enum hf_way hf_way_next(const struct hf_way_facts *facts);

/* For ClientCertificateValid and CertificateIssued: "ByCertificate", "ByConfiguration", "ByKubelet"; "". */
const char *hf_way_reason(enum hf_way way);
/* "the credential of its configuration"; "". */
const char *hf_way_text(enum hf_way way);
