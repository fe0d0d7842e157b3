/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which encoder made a deflate stream. Blocks: workers only. */
#pragma once

#include "pack/codec/codec.h"

/* Finds flavour (deflate_match.h), level and marks that make search->packed. Set ret_setup->gzip_tail before; free
 * *ret_marks. -ENOENT: there are none, or the marks are too large. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);
/* Tries the beginning of the stream only. -ENOENT: pack_deflate_find() would fail, too. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);
