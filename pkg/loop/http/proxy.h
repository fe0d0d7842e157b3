/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/proxy.h - decides whether a request goes through the proxy of the environment. The decision is ours and not
 * curl's, because the rule for redirects must know which address belongs to a proxy, and curl does not tell it.
 *
 * Threads: any that may call getenv(3). */
#pragma once

#include <stdbool.h>

/* Returns the URL of the proxy for requests to `host`, from the variables https_proxy or http_proxy, then all_proxy,
 * each in lower or upper case (HTTP_PROXY: lower case only). Returns NULL if none is set, or if no_proxy or NO_PROXY
 * names the host. `host` is a name or an address, without brackets. The text belongs to the environment. */
const char *hf_proxy_for(bool https, const char *host);

/* Returns true if a list like that of NO_PROXY names `host`. It does if it is "*", or if one of its items, which commas
 * or blanks separate, is the host itself, a domain that the host is in (with or without a dot in front), or a range of
 * addresses that the host's address is in, such as 10.0.0.0/8. Pure. */
bool hf_proxy_list_has(const char *list, const char *host);
