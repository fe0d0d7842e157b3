/* SPDX-License-Identifier: Apache-2.0 */
/* Makes URLs safe to show: user, password and query (when presigned) are secrets. */
#pragma once

#include <stddef.h>

enum { HF_URL_MASKED = 200 };

/* Shows scheme, host, port, path, and "?..." for a query; cut to n bytes. Without a scheme: the text before '?' or '#',
 * or nothing if it has an '@', which a password may precede. '?' replaces all except printable ASCII. */
const char *hf_url_mask(const char *url, char *shown, size_t n);
