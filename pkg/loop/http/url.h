/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/url.h - parses, joins and formats URLs. Pure. Uses libcurl's URL parser, so that our checks see the same
 * host as curl does.
 *
 * Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { HF_URL_MAX = 8192, HF_URL_ORIGIN = 320, HF_URL_HOST = 256 };

struct hf_url_parts {
    char origin[HF_URL_ORIGIN]; /* "https://host:port" with the host in lower case, and always with the port */
    char host[HF_URL_HOST];     /* host of the URL; an IPv6 address is without brackets */
    unsigned port;
    bool https;
    bool loopback; /* result of hf_host_is_loopback() for `host` */
};

/* Splits a URL. -EINVAL: `url` is not an absolute http or https URL with a host, or its host is in percent codes that
 * decode to something that curl would read in another way. */
HF_MUST_USE int hf_url_split(const char *url, struct hf_url_parts *ret_parts, struct hf_err *err);

/* Resolves a Location header against `base`, and drops the fragment. The caller frees *ret_url with free(). -EPROTO:
 * the result is not a URL. -ENOMEM: out of memory. */
HF_MUST_USE int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err);

/* Replaces the host of a URL by `host`, which is a name, an IPv4 address, or an IPv6 address with brackets. The caller
 * frees *ret_url with free(). -EINVAL: `host` or the URL is invalid. -ENOMEM: out of memory. */
HF_MUST_USE int hf_url_with_host(const char *url, const char *host, char **ret_url, struct hf_err *err);
