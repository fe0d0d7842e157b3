/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deflate/deflate_find.h - finds the encoder that made a deflate stream.
 *
 * The functions block: call them only on worker threads or in command-line programs. */
#pragma once

#include "pack/codec/codec.h"

/* Finds the flavour (deflate_match.h), level and marks with which pack_deflate_ops makes exactly search->packed. The
 * caller frees *ret_marks, to which ret_setup->marks points. Set ret_setup->gzip_tail before the call. -ENOENT: no
 * setup makes the stream, or the marks would be too large. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);
/* Like pack_deflate_find(), but tries only the beginning of the stream and returns no setup. -ENOENT:
 * pack_deflate_find() would not find a setup either. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);
