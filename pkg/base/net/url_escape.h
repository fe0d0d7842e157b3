/* SPDX-License-Identifier: Apache-2.0 */
/* base/net/url_escape.h - escapes text for a part of a URL's path or a value in a URL's query. Pure. Threads: any. */
#pragma once

#include "base/buf.h"

/* Appends `text` to *out, with each byte except letters, digits and "-._~" as %XX (RFC 3986, section 2.3). Returns 0,
 * -E2BIG or -ENOMEM; after a failure *out may end with a part of the text. */
HF_MUST_USE int hf_url_escape(const char *text, struct hf_buf *out);
