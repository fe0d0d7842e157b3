/* cache/entry.h - the text of one file of the cache: a seal (codec/seal.h) of kind "cache", then JSON.
 *
 *     holdfast-cache 1 <SHA-256 of what follows, hex>\n{...}\n */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"
#include "codec/json.h"

enum { HF_CACHE_ENTRY_MAX = (1 << 20) + 256 };

/* Append the file's text; hex gets the hash in it. -E2BIG when `out` is full. */
HF_MUST_USE int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX]);
/* -EBADMSG: no such file, or damaged; -ENOMEM. hex gets the hash. */
HF_MUST_USE int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX],
                                     struct hf_err *err);
