/* SPDX-License-Identifier: Apache-2.0 */
/* The token that a registry's 401 demands, to pull from a repository: where to ask, and who may see the credential.
 * Untrusted input. */
#pragma once

#include "loop/http/http.h"
#include "oci/registry/challenge.h"

enum { HF_OCI_TOKEN_ANSWER = 64 << 10 };

/* Checks whether `registry` (a URL) may name `service` as its token service. -EPROTO: no. *ret_takes_basic: the
 * credential may go there, too. */
HF_MUST_USE int hf_oci_token_where(const char *registry, const char *service, bool *ret_takes_basic,
                                   struct hf_err *err);

struct hf_oci_token_ask {
    char *url;        /* fetch by GET, without redirects; free it */
    bool takes_basic; /* the credential may go there */
};

/* Reads where to ask for a token. `registry` is the URL that answered 401 itself, `challenge` its WWW-Authenticate. 1:
 * ask there. 0: `challenge` wants no token, or is unreadable. -EPROTO: an unsuitable URL. */
HF_MUST_USE int hf_oci_token_ask(const char *registry, const char *repository, const char *challenge,
                                 struct hf_oci_token_ask *ret, struct hf_err *err);
/* Returns `line` ("Authorization: ...") if the service may see it, or NULL. */
const char *hf_oci_token_credential(const struct hf_oci_token_ask *ask, const char *line);
/* Reads the service's answer: the token, as a line to be wiped and freed, and for how many seconds it is valid.
 * -EACCES: refused, or an unexpected status. -EAGAIN: the service fails, or gets too many requests. -EBADMSG: no token.
 * */
HF_MUST_USE int hf_oci_token_take(const struct hf_http_response *response, struct hf_view body, char **ret_line,
                                  uint64_t *ret_seconds, struct hf_err *err);
