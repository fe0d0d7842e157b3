/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/* Appends `text`, escaped except for letters, digits and "-._~" (RFC 3986, 2.3). -E2BIG, -ENOMEM: *out may have a
 * part. */
HF_MUST_USE int hf_url_escape(const char *text, struct hf_buf *out);
