/* loop/http/url.h - the few questions the client asks about URLs. Pure (libcurl's URL parser, so that what is judged here
 * is what is connected to). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { HF_URL_MAX = 8192, HF_URL_ORIGIN = 320, HF_URL_HOST = 256 };

struct hf_url_parts {
    char origin[HF_URL_ORIGIN]; /* "https://host:port", host in lower case, port always there */
    char host[HF_URL_HOST];     /* without the brackets of IPv6 */
    unsigned port;
    bool https;
    bool loopback; /* hf_host_is_loopback() */
};

/* -EINVAL: not an absolute http or https URL with a host. */
HF_MUST_USE int hf_url_split(const char *url, struct hf_url_parts *ret_parts, struct hf_err *err);

/* A Location as seen from `base`; free the result. */
HF_MUST_USE int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err);

/* The same URL with another host (a name, or an address with brackets); free the result. */
HF_MUST_USE int hf_url_with_host(const char *url, const char *host, char **ret_url, struct hf_err *err);

/* For error texts: without user, password, query and fragment, which may be secrets. Cut to n; returns shown. */
const char *hf_url_show(const char *text, char *shown, size_t n);
