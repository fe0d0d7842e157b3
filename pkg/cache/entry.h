/* SPDX-License-Identifier: Apache-2.0 */
/* cache/entry.h - formats and parses the text of one file of the cache. The text is a header line (a seal of kind
 * "cache", codec/seal.h), followed by JSON.
 *
 *     holdfast-cache 1 <hex SHA-256 of the JSON and its line feed>\n{...}\n
 *
 * Pure. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "codec/sha256.h"

enum { HF_CACHE_ENTRY_MAX = (1 << 20) + 256 };

/* Appends the text of the file for `object` to *out, and copies the SHA-256 that the header line contains to `hex`.
 * -E2BIG: *out is full. -ENOMEM: out of memory. */
HF_MUST_USE int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX]);
/* Parses the text of a file, and copies the SHA-256 that the header line contains to `hex`. -EBADMSG: the text has
 * another format version or is damaged. -ENOMEM: out of memory. */
HF_MUST_USE int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX],
                                     struct hf_err *err);
