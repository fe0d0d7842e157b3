/* SPDX-License-Identifier: Apache-2.0 */
/* Parses how a registry asks for credentials, and docker's config.json. Pure; untrusted input. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { HF_OCI_REALM = 1024, HF_OCI_SERVICE = 256, HF_OCI_SCOPE = 1024 };

struct hf_oci_challenge {
    bool bearer; /* false: Basic, and the texts are "" */
    char realm[HF_OCI_REALM];
    char service[HF_OCI_SERVICE];
    char scope[HF_OCI_SCOPE];
};

/* `text`: value of WWW-Authenticate. -EBADMSG: malformed, too long, or neither Basic nor Bearer with a realm. */
HF_MUST_USE int hf_oci_challenge_parse(const char *text, struct hf_oci_challenge *ret);
/* Appends the URL to get the token from. -E2BIG: above out->max. */
HF_MUST_USE int hf_oci_challenge_url(const struct hf_oci_challenge *challenge, struct hf_buf *out);
/* Reads the token in the answer of that URL; *ret_seconds: how long it is valid. Wipe and free *ret_token. -EBADMSG: no
 * token. */
HF_MUST_USE int hf_oci_token_parse(struct hf_view answer, char **ret_token, uint64_t *ret_seconds, struct hf_err *err);

/* Appends "user:password" for `host` from config.json. 1: found; 0: none there. -EBADMSG, -E2BIG: invalid file. Runs no
 * credential helpers. */
HF_MUST_USE int hf_oci_login_find(struct hf_view config, const char *host, struct hf_buf *out, struct hf_err *err);
