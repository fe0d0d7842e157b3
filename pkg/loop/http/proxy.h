/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy of the environment. The rule for redirects must know which address is a proxy's, and curl does not tell.
 * Threads: any that may call getenv(3). */
#pragma once

#include <stdbool.h>

/* From https_proxy or http_proxy, then all_proxy, in lower or upper case (HTTP_PROXY: lower only). NULL: none, or
 * NO_PROXY (no_proxy) names `host`, which has no brackets. Borrowed from the environment. */
const char *hf_proxy_for(bool https, const char *host);

/* `list` as in NO_PROXY: "*", or items between commas or blanks: the host, a domain of it (with or without a dot in
 * front), or a range such as 10.0.0.0/8. Pure. */
bool hf_proxy_list_has(const char *list, const char *host);
