/* SPDX-License-Identifier: Apache-2.0 */
/* The token that a registry's 401 asks for, to pull from a repository: where to ask, and who may see the credential.
 * Untrusted input. */
#pragma once

#include "loop/http/http.h"
#include "oci/registry/challenge.h"

enum { HF_OCI_TOKEN_ANSWER = 64 << 10 };

/* May `registry` (a URL) send to `service`, *ret_takes_basic: the credential, too? -EPROTO: no. */
HF_MUST_USE int hf_oci_token_where(const char *registry, const char *service, bool *ret_takes_basic,
                                   struct hf_err *err);

struct hf_oci_token_ask {
    char *url;        /* GET, no redirects; free it */
    bool takes_basic; /* the credential may go there */
};

/* `registry`: URL that answered 401 itself, with WWW-Authenticate `challenge`. 1; 0: no token, or unreadable; -EPROTO:
 * not a service to ask. */
HF_MUST_USE int hf_oci_token_ask(const char *registry, const char *repository, const char *challenge,
                                 struct hf_oci_token_ask *ret, struct hf_err *err);
/* "Authorization: ..." if the service may see it, or NULL. */
const char *hf_oci_token_credential(const struct hf_oci_token_ask *ask, const char *line);
/* The service's token, as a line; wipe and free it. *ret_seconds: how long it is good. -EACCES: refused. -EAGAIN: ill,
 * or too many requests. -EBADMSG: no token. */
HF_MUST_USE int hf_oci_token_take(const struct hf_http_response *response, struct hf_view body, char **ret_line,
                                  uint64_t *ret_seconds, struct hf_err *err);
