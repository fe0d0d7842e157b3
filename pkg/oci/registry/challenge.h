/* SPDX-License-Identifier: Apache-2.0 */
/* How a registry wants to be shown who asks, and what docker's config.json has for it. Pure; untrusted input. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { HF_OCI_REALM = 1024, HF_OCI_SERVICE = 256, HF_OCI_SCOPE = 1024 };

struct hf_oci_challenge {
    bool bearer; /* false: Basic, and the rest is "" */
    char realm[HF_OCI_REALM];
    char service[HF_OCI_SERVICE]; /* "": none */
    char scope[HF_OCI_SCOPE];
};

/* A header WWW-Authenticate. -EBADMSG: neither Basic nor Bearer with a realm, or not well formed. */
HF_MUST_USE int hf_oci_challenge_parse(const char *text, struct hf_oci_challenge *ret);
/* Appends the URL that gives the token. -E2BIG. */
HF_MUST_USE int hf_oci_challenge_url(const struct hf_oci_challenge *challenge, struct hf_buf *out);
/* The token in the answer of that URL, and how many seconds it is good; wipe and free *ret_token. -EBADMSG: there is
 * none. */
HF_MUST_USE int hf_oci_token_parse(struct hf_view answer, char **ret_token, uint64_t *ret_seconds, struct hf_err *err);

/* "user:password" for `host` from the text of a config.json, appended to `out`. 1; 0: it has none. -EBADMSG: not such
 * a file. Helpers are not run. */
HF_MUST_USE int hf_oci_login_find(struct hf_view config, const char *host, struct hf_buf *out, struct hf_err *err);
