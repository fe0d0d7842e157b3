/* loop/http/url.h - parse, join and show URLs. Pure: uses libcurl's URL parser, so that we judge the URL that curl
 * connects to.
 *
 * Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { HF_URL_MAX = 8192, HF_URL_ORIGIN = 320, HF_URL_HOST = 256 };

struct hf_url_parts {
    char origin[HF_URL_ORIGIN]; /* "https://host:port": host in lower case, port always present */
    char host[HF_URL_HOST];     /* without the brackets of an IPv6 address */
    unsigned port;
    bool https;
    bool loopback; /* hf_host_is_loopback() */
};

/* Splits a URL. -EINVAL: not an absolute http or https URL with a host. */
HF_MUST_USE int hf_url_split(const char *url, struct hf_url_parts *ret_parts, struct hf_err *err);

/* Resolves a Location header against `base`; free the result. */
HF_MUST_USE int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err);

/* Replaces the host of a URL (by a name, or an address with brackets); free the result. */
HF_MUST_USE int hf_url_with_host(const char *url, const char *host, char **ret_url, struct hf_err *err);

/* Formats a URL for error texts without user, password, query and fragment, which may be secrets. Cuts to n; returns
 * shown. */
const char *hf_url_show(const char *text, char *shown, size_t n);
