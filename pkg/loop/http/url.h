/* SPDX-License-Identifier: Apache-2.0 */
/* Takes URLs apart with libcurl's parser, so that our checks see curl's host. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { HF_URL_MAX = 8192, HF_URL_ORIGIN = 320, HF_URL_HOST = 256 };

struct hf_url_parts {
    char origin[HF_URL_ORIGIN]; /* "https://host:port", lower case */
    char host[HF_URL_HOST];     /* IPv6 without brackets */
    unsigned port;
    bool https;
    bool loopback; /* hf_host_is_loopback() */
};

/* -EINVAL: too long, not an absolute http or https URL, or percent codes in the host that curl reads otherwise. */
HF_MUST_USE int hf_url_split(const char *url, struct hf_url_parts *ret_parts, struct hf_err *err);

/* Resolves a Location, without its fragment; the caller frees *ret_url. -EPROTO: no usable URL. */
HF_MUST_USE int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err);

/* Replaces the host by a name or address (IPv6 in brackets); the caller frees *ret_url. -EINVAL. */
HF_MUST_USE int hf_url_with_host(const char *url, const char *host, char **ret_url, struct hf_err *err);
