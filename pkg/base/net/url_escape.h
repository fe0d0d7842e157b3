/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes in a URL's path or query. */
#pragma once

#include "base/buf.h"

/* All but letters, digits, "-._~" (RFC 3986, 2.3). -E2BIG, -ENOMEM: *out may have a part. */
HF_MUST_USE int hf_url_escape(const char *text, struct hf_buf *out);
