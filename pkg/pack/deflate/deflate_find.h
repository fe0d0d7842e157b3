/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the encoder that made a deflate stream. Blocks: workers only. */
#pragma once

#include "pack/codec/codec.h"

/* Flavour (deflate_match.h), level and marks that make exactly search->packed. Set ret_setup->gzip_tail first; free
 * *ret_marks. -ENOENT: none, or the marks would be too large. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);
/* Tries the beginning only. -ENOENT: pack_deflate_find() would not succeed. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);
