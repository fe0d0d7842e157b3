/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deflate/tokens.h - the codec PACK_CODEC_DEFLATE_TOKENS, whose plain form consists of groups (FORMAT.md, "Codec
 * 2"). A group is a list of 32-bit words that record the encoder's choices, then the content to which the choices
 * apply. tokens_read.c decodes, tokens_write.c encodes. */
#pragma once

#include <stdint.h>

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_tokens_ops;
/* The decode operation of pack_tokens_ops. */
HF_MUST_USE int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

enum {
    /* Values of the upper 16 bits of a word. In a word that stands for a match, these bits hold the distance of the
     * match - 1, which is smaller than all these values. */
    TOKENS_NO_MATCH = 0xffff, /* the word stands for literals without a match after them */
    /* the word ends a block; bits 8 to 10 of the word hold the block's kind, and bit 11 is set for the last block */
    TOKENS_END = 0xfffe,
    /* The block continues. Without this word, a block ends as soon as it has as many tokens as the first block. */
    TOKENS_CONTINUE = 0xfffd,
    /* minimum number of bytes of content in a group, except in the last group of the stream */
    TOKENS_GROUP_MIN = 64 << 10,
    /* when the content of a group has this many bytes or more, the group ends after the current token */
    TOKENS_GROUP_MAX = 256 << 10,
    TOKENS_CONTENT_MAX = TOKENS_GROUP_MAX + 258,
    TOKENS_GROUP_MASK = 0xffff,
    TOKENS_WORDS_MAX = 1 << 18, /* maximum number of words in a group; that many words take 1 MiB */
};

/* Returns true if a group may end after these 8 bytes of content. */
static inline int tokens_is_border(uint64_t last8)
{
    return (last8 * UINT64_C(0x9e3779b97f4a7c15) >> 40 & TOKENS_GROUP_MASK) == 0;
}
