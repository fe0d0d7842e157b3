/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes a part of a URL's path or query. Pure. */
#pragma once

#include "base/buf.h"

/* All but letters, digits and "-._~" (RFC 3986, section 2.3). -E2BIG, -ENOMEM: *out may have a part. */
HF_MUST_USE int hf_url_escape(const char *text, struct hf_buf *out);
