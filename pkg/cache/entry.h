/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a file of the cache: a seal of kind "cache" (codec/seal.h) and JSON. Pure.
 *
 *     holdfast-cache 1 <hex SHA-256 of the JSON and its line feed>\n{...}\n */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "codec/sha256.h"

enum { HF_CACHE_ENTRY_MAX = (1 << 20) + 256 };

/* `hex`: as in the header. -E2BIG: above out->max. */
HF_MUST_USE int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX]);
/* -EBADMSG: another version, or damaged. */
HF_MUST_USE int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX],
                                     struct hf_err *err);
