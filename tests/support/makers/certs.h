/* SPDX-License-Identifier: Apache-2.0 */
/* support/certs.h - certificates made on the spot, with any validity. PEM texts are the caller's (free). */
#pragma once

#include <stdbool.h>

struct hf_test_cert {
    char *cert_pem;
    char *key_pem;
};

struct hf_test_cert_spec {
    const char *name;                  /* common name; also the DNS subjectAltName when not an authority */
    const char *ip;                    /* IP subjectAltName; NULL none */
    const char *group;                 /* organization, of a certificate for clients alone, without names; NULL none */
    long from_s, until_s;              /* validity, seconds from now (negative: past) */
    bool authority;                    /* may sign */
    const struct hf_test_cert *issuer; /* NULL: signs itself */
};

/* EC P-256; fails the test when OpenSSL refuses. */
void hf_test_cert_make(const struct hf_test_cert_spec *spec, struct hf_test_cert *ret_cert);
void hf_test_cert_done(struct hf_test_cert *cert);
