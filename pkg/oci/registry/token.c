/* SPDX-License-Identifier: Apache-2.0 */
/* The registry names the service for tokens. From a registry with TLS that is a server with TLS, and from one on
 * another machine never this machine. The credential goes to a service with TLS that a registry with TLS has named, or
 * to the registry's own host, as user and password (Basic) alone: a token of the node is for its origin only. */
#include "oci/registry/token.h"

#include <errno.h>
#include <string.h>

#include "base/asprintf.h"
#include "loop/http/url.h"

int hf_oci_token_where(const char *registry, const char *service, bool *ret_takes_basic, struct hf_err *err)
{
    struct hf_url_parts own, to;

    if (hf_url_split(registry, &own, err) < 0 || hf_url_split(service, &to, err) < 0)
        return hf_err_set(err, EPROTO, "the registry's service for tokens has no URL to ask");
    if (!to.https && own.https)
        return hf_err_set(err, EPROTO, "the registry leads to '%.100s', without TLS, for a token", to.origin);
    if (to.loopback && !own.loopback)
        return hf_err_set(err, EPROTO, "the registry leads to '%.100s', on this machine, for a token", to.origin);
    *ret_takes_basic = (own.https && to.https) || strcmp(own.host, to.host) == 0;
    return 0;
}

int hf_oci_token_ask(const char *registry, const char *repository, const char *challenge, struct hf_oci_token_ask *ret,
                     struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(HF_URL_MAX);
    struct hf_oci_challenge asked;
    bool takes_basic = false;

    if (hf_oci_challenge_parse(challenge, &asked) < 0 || !asked.bearer)
        return 0;
    int r = hf_oci_token_where(registry, asked.realm, &takes_basic, err);
    if (r < 0)
        return r;
    /* to pull from this repository, whatever scope the registry asked for */
    (void)snprintf(asked.scope, sizeof(asked.scope), "repository:%s:pull", repository);
    r = hf_oci_challenge_url(&asked, &url);
    char *text = r == 0 ? hf_buf_take(&url) : NULL;
    if (text == NULL)
        return hf_err_set(err, r == -E2BIG ? EPROTO : ENOMEM, "the address for a token is too long");
    *ret = (struct hf_oci_token_ask){.url = text, .takes_basic = takes_basic};
    return 1;
}

const char *hf_oci_token_credential(const struct hf_oci_token_ask *ask, const char *line)
{
    return ask->takes_basic && strncmp(line, "Authorization: Basic ", 21) == 0 ? line : NULL;
}

int hf_oci_token_take(const struct hf_http_response *response, struct hf_view body, char **ret_line,
                      uint64_t *ret_seconds, struct hf_err *err)
{
    char *token = NULL;
    int r;

    if (response->status != 200)
        return hf_err_set(err, response->status == 429 || response->status >= 500 ? EAGAIN : EACCES,
                          "the service for tokens answers %d", response->status);
    r = hf_oci_token_parse(body, &token, ret_seconds, err);
    if (r < 0)
        return r;
    *ret_line = hf_asprintf("Authorization: Bearer %s", token);
    hf_buf_wipe_text(&token);
    return *ret_line != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}
