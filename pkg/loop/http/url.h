/* SPDX-License-Identifier: Apache-2.0 */
/* URLs, by libcurl's parser, so that our checks see the same host. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { HF_URL_MAX = 8192, HF_URL_ORIGIN = 320, HF_URL_HOST = 256 };

struct hf_url_parts {
    char origin[HF_URL_ORIGIN]; /* "https://host:port", lower case, always with a port */
    char host[HF_URL_HOST];     /* IPv6 without brackets */
    unsigned port;
    bool https;
    bool loopback; /* hf_host_is_loopback() */
};

/* -EINVAL: not an absolute http or https URL, or a host in percent codes that curl reads in another way. */
HF_MUST_USE int hf_url_split(const char *url, struct hf_url_parts *ret_parts, struct hf_err *err);

/* A Location header, without fragment; the caller frees it. -EPROTO: not a URL. */
HF_MUST_USE int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err);

/* `host`: a name or address, IPv6 in brackets; the caller frees the result. -EINVAL. */
HF_MUST_USE int hf_url_with_host(const char *url, const char *host, char **ret_url, struct hf_err *err);
