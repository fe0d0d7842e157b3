/* SPDX-License-Identifier: Apache-2.0 */
/* The environment's proxy, for the rule of redirects. Threads: any that may call getenv(3). */
#pragma once

#include <stdbool.h>

/* The value of https_proxy or http_proxy, else all_proxy, in lower or upper case (http_proxy: lower only). NULL: none,
 * or NO_PROXY (no_proxy) has `host`, given without brackets. Borrowed. */
const char *hf_proxy_for(bool https, const char *host);

/* `list`, as in NO_PROXY: "*", or items between commas or blanks: host, its domain (a dot in front is optional), or a
 * range such as 10.0.0.0/8. Pure. */
bool hf_proxy_list_has(const char *list, const char *host);
