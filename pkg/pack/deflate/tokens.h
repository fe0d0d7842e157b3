/* SPDX-License-Identifier: Apache-2.0 */
/* The codec PACK_CODEC_DEFLATE_TOKENS (FORMAT.md, "Codec 2"). Its plain form is groups: 32-bit words with the encoder's
 * choices, then content. */
#pragma once

#include <stdint.h>

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_tokens_ops;
HF_MUST_USE int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

enum {
    /* Values of a word's upper 16 bits, where a match has its distance - 1, which is lower. */
    TOKENS_NO_MATCH = 0xffff,
    TOKENS_END = 0xfffe, /* end of a block: kind in bits 8 to 10; bit 11: the last block */
    /* the block exceeds the first block's number of tokens */
    TOKENS_CONTINUE = 0xfffd,
    TOKENS_GROUP_MIN = 64 << 10,
    TOKENS_GROUP_MAX = 256 << 10,
    TOKENS_CONTENT_MAX = TOKENS_GROUP_MAX + 258,
    TOKENS_GROUP_MASK = 0xffff,
    TOKENS_WORDS_MAX = 1 << 18,
};

static inline int tokens_is_border(uint64_t last8)
{
    return (last8 * UINT64_C(0x9e3779b97f4a7c15) >> 40 & TOKENS_GROUP_MASK) == 0;
}
