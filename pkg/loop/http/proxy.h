/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the environment's proxy. Threads: any that may call getenv(3). */
#pragma once

#include <stdbool.h>

/* Returns https_proxy or http_proxy, else all_proxy, in lower or upper case (http_proxy: lower only). NULL: none is
 * set, or NO_PROXY has `host` (without brackets). Borrowed. */
const char *hf_proxy_for(bool https, const char *host);

/* Whether `list` has `host`. As in NO_PROXY it is "*", or items between commas or blanks: host, its domain (a dot in
 * front is optional), or a range such as 10.0.0.0/8. Pure. */
bool hf_proxy_list_has(const char *list, const char *host);
