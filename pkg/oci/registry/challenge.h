/* SPDX-License-Identifier: Apache-2.0 */
/* How a registry wants credentials, and docker's config.json. Pure; untrusted input. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { HF_OCI_REALM = 1024, HF_OCI_SERVICE = 256, HF_OCI_SCOPE = 1024 };

struct hf_oci_challenge {
    bool bearer; /* false: Basic, all else "" */
    char realm[HF_OCI_REALM];
    char service[HF_OCI_SERVICE]; /* or "" */
    char scope[HF_OCI_SCOPE];
};

/* `text`: WWW-Authenticate. -EBADMSG: neither Basic nor Bearer with realm, or malformed. */
HF_MUST_USE int hf_oci_challenge_parse(const char *text, struct hf_oci_challenge *ret);
/* Appends the token's URL. -E2BIG. */
HF_MUST_USE int hf_oci_challenge_url(const struct hf_oci_challenge *challenge, struct hf_buf *out);
/* Takes the token of that URL's answer, good for *ret_seconds; wipe and free *ret_token. -EBADMSG: none. */
HF_MUST_USE int hf_oci_token_parse(struct hf_view answer, char **ret_token, uint64_t *ret_seconds, struct hf_err *err);

/* Appends "user:password" of `host` in config.json. 1: found; 0: none. -EBADMSG: another file. Runs no helpers. */
HF_MUST_USE int hf_oci_login_find(struct hf_view config, const char *host, struct hf_buf *out, struct hf_err *err);
