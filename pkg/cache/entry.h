/* cache/entry.h - formats and parses the text of one file of the cache, which has a seal (codec/seal.h) of kind
 * "cache", then JSON.
 *
 *     holdfast-cache 1 <SHA-256 of what follows, hex>\n{...}\n
 *
 * Pure. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "codec/sha256.h"

enum { HF_CACHE_ENTRY_MAX = (1 << 20) + 256 };

/* Appends the text of the file for `object` to *out, and stores the hash of the header line in `hex`. -E2BIG: *out is
 * full. -ENOMEM: memory ran out. */
HF_MUST_USE int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX]);
/* Parses the text of a file, and stores the hash of the header line in `hex`. Returns 0, -ENOMEM, or -EBADMSG if the
 * text has another format or is damaged. */
HF_MUST_USE int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX],
                                     struct hf_err *err);
