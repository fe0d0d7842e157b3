/* SPDX-License-Identifier: Apache-2.0 */
/* The token that a registry's 401 asks for, to pull from one repository: where it may be asked for, and who may see the
 * credential there. Untrusted input. Threads: any. */
#pragma once

#include "loop/http/http.h"
#include "oci/registry/challenge.h"

enum { HF_OCI_TOKEN_ANSWER = 64 << 10 }; /* longest answer */

/* If `registry` (a URL) may send to `service` for a token. -EPROTO: it may not. */
HF_MUST_USE int hf_oci_token_where(const char *registry, const char *service, bool *ret_takes_basic,
                                   struct hf_err *err);

struct hf_oci_token_ask {
    char *url;        /* GET, without redirects; the caller frees it */
    bool takes_basic; /* the credential may go there */
};

/* `registry`: the URL that answered 401 itself, with WWW-Authenticate `challenge`. 1; 0: it asks for no token, or in no
 * readable way; -EPROTO: the service is not one to ask. */
HF_MUST_USE int hf_oci_token_ask(const char *registry, const char *repository, const char *challenge,
                                 struct hf_oci_token_ask *ret, struct hf_err *err);
/* The line "Authorization: ..." if it may be shown to the service, or NULL. */
const char *hf_oci_token_credential(const struct hf_oci_token_ask *ask, const char *line);
/* The line with the token in the service's answer; wipe and free it. *ret_seconds: how long it is good. -EACCES: the
 * service refuses. -EAGAIN: it is ill, or wants fewer requests. -EBADMSG: there is no token. */
HF_MUST_USE int hf_oci_token_take(const struct hf_http_response *response, struct hf_view body, char **ret_line,
                                  uint64_t *ret_seconds, struct hf_err *err);
