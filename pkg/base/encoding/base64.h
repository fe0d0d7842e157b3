/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, standard alphabet and padding (RFC 4648). */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

/* Appends the encoded bytes. -E2BIG. On failure *out is unchanged. */
HF_MUST_USE int hf_base64_encode(const void *bytes, size_t n, struct hf_buf *out);

/* Decodes the whole text, and appends its bytes. -EINVAL: another character, even a blank; wrong padding; or unused
 * bits that are not 0. */
HF_MUST_USE int hf_base64_decode(struct hf_view text, struct hf_buf *out);
