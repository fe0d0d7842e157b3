/* SPDX-License-Identifier: Apache-2.0 */
/* Formats and parses a file of the cache: a seal of kind "cache" (codec/seal.h), and JSON. Pure.
 *
 *     holdfast-cache 1 <hex SHA-256 of the JSON and its line feed>\n{...}\n */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "codec/sha256.h"

enum { HF_CACHE_ENTRY_MAX = (1 << 20) + 256 };

/* `hex` gets the header's hash. -E2BIG: more than out->max. */
HF_MUST_USE int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX]);
/* -EBADMSG: damaged, or another version. */
HF_MUST_USE int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX],
                                     struct hf_err *err);
