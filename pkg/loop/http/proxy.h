/* SPDX-License-Identifier: Apache-2.0 */
/* The environment's proxy: the rule for redirects must know its address, which curl does not tell. Threads: any that
 * may call getenv(3). */
#pragma once

#include <stdbool.h>

/* Of https_proxy or http_proxy, then all_proxy, in lower or upper case (HTTP_PROXY: lower only). NULL: none, or
 * NO_PROXY (no_proxy) has `host`, given without brackets. Borrowed. */
const char *hf_proxy_for(bool https, const char *host);

/* `list`, NO_PROXY's: "*", or items between commas or blanks: host, its domain (a dot in front is optional), or a range
 * such as 10.0.0.0/8. Pure. */
bool hf_proxy_list_has(const char *list, const char *host);
