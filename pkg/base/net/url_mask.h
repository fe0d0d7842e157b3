/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a URL safe to show: user, password and query (of a presigned URL) are secrets. Pure. */
#pragma once

#include <stddef.h>

enum { HF_URL_MASKED = 200 }; /* usual buffer */

/* Scheme, host, port and path, "?..." for a query, no fragment; cut to n. Without a scheme, the text before '?' or '#',
 * but empty if it has an '@', before which a password may stand. '?' for blanks and all but printable ASCII. */
const char *hf_url_mask(const char *url, char *shown, size_t n);
