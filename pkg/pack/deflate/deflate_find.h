/* pack/deflate/deflate_find.h - find the encoder that made a deflate stream. Blocks: worker threads and command
 * lines only. */
#pragma once

#include "pack/codec/codec.h"

/* Finds flavour, level and marks with which pack_deflate_ops makes exactly the same stream; the caller frees
 * *ret_marks, and ret_setup->marks borrows it. Set ret_setup->gzip_tail before the call. -ENOENT: no setup makes the
 * stream, or the marks would be too large. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);
/* Like pack_deflate_find(), but tries only the beginning of the stream and returns no setup. -ENOENT:
 * pack_deflate_find() would find nothing. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);
