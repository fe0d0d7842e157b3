/* SPDX-License-Identifier: Apache-2.0 */
/* base/net/url_mask.h - makes a URL safe to show in logs, errors and statuses. Pure.
 *
 * The user, the password and the query (of a presigned URL) are secrets. The function also leaves out the fragment,
 * because a reader of a log does not need it. Threads: any. */
#pragma once

#include <stddef.h>

enum { HF_URL_MASKED = 200 }; /* size of the buffer for a masked URL in a message, with the terminator */

/* Writes scheme, host, port and path of `url` into shown[n], truncated to n bytes with the terminator. Writes "?..." in
 * place of the query, and leaves out user, password and fragment. If `url` has no scheme, the text before the first '?'
 * or '#' counts as the path. If this text has an '@', the part before the '@' may be a password, so the function writes
 * an empty text. Replaces each blank, and each character that is not printable ASCII, by '?'. Returns `shown`. */
const char *hf_url_mask(const char *url, char *shown, size_t n);
