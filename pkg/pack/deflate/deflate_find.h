/* SPDX-License-Identifier: Apache-2.0 */
/* Which encoder made a deflate stream? Blocks: workers only. */
#pragma once

#include "pack/codec/codec.h"

/* Flavour (deflate_match.h), level and marks that make search->packed. ret_setup->gzip_tail: set before; free
 * *ret_marks. -ENOENT: none, or too large marks. */
HF_MUST_USE int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup,
                                  unsigned char **ret_marks, struct hf_err *err);
/* Tries the beginning alone. -ENOENT: pack_deflate_find() would fail. */
HF_MUST_USE int pack_deflate_guess(const struct pack_search *search, struct hf_err *err);
