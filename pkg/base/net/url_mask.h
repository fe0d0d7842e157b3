/* base/net/url_mask.h - a URL as logs, errors and statuses may show it. Pure.
 *
 * The user, the password and the query of a presigned URL are secrets. The fragment is left out too, because a reader
 * of a log does not need it. Threads: any. */
#pragma once

#include <stddef.h>

enum { HF_URL_MASKED = 200 }; /* bytes of a masked URL that a message has room for */

/* Writes scheme, host, port and path of `url` into shown[n], cut to n bytes, with "?..." in place of a query and no
 * fragment, user or password. If `url` is not a URL, writes the part before the first '?', '#' or '@'. A character that
 * is not printable ASCII becomes '?'. Returns `shown`. */
const char *hf_url_mask(const char *url, char *shown, size_t n);
