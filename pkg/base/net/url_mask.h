/* SPDX-License-Identifier: Apache-2.0 */
/* URLs safe to show: user, password and query (when presigned) are secrets. */
#pragma once

#include <stddef.h>

enum { HF_URL_MASKED = 200 }; /* usual n */

/* Scheme, host, port, path, "?..." for a query, no fragment; cut to n. Without a scheme: the text before '?' or '#', or
 * nothing if it has an '@', which a password may precede. '?' replaces all except printable ASCII. */
const char *hf_url_mask(const char *url, char *shown, size_t n);
