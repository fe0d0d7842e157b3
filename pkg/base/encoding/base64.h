/* SPDX-License-Identifier: Apache-2.0 */
/* base/encoding/base64.h - converts bytes to and from Base64 text with the standard alphabet and padding (RFC 4648,
 * section 4). Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

/* Encodes n bytes. Both functions of this header append to *out and return 0, -E2BIG (maximum of *out reached) or
 * -ENOMEM. On failure *out is unchanged. */
HF_MUST_USE int hf_base64_encode(const void *bytes, size_t n, struct hf_buf *out);

/* Decodes the whole text. -EINVAL: the text has a blank or another character outside the alphabet, its padding is
 * wrong, or unused bits of its last group are not 0. */
HF_MUST_USE int hf_base64_decode(struct hf_view text, struct hf_buf *out);
