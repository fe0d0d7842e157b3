/* pack/deflate/tokens.h - PACK_CODEC_DEFLATE_TOKENS: a plain form that consists of groups (FORMAT.md, "Codec 2"). A
 * group is a list of 32-bit words that record the encoder's choices, then the content to which the choices apply.
 * tokens_read.c decodes, tokens_write.c encodes. */
#pragma once

#include <stdint.h>

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_tokens_ops;
/* The decode operation of pack_tokens_ops. */
HF_MUST_USE int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

enum {
    TOKENS_NO_MATCH = 0xffff,
    TOKENS_END = 0xfffe,      /* end of block: kind in bits 8..10, bit 11 set for the last block */
    TOKENS_CONTINUE = 0xfffd, /* the block has as many tokens as the first block, but does not end here */
    TOKENS_GROUP_MIN = 64 << 10,
    /* bytes of content in a group; the token with which a group reaches this number ends the group */
    TOKENS_GROUP_MAX = 256 << 10,
    TOKENS_CONTENT_MAX = TOKENS_GROUP_MAX + 258,
    TOKENS_GROUP_MASK = 0xffff,
    TOKENS_WORDS_MAX = 1 << 18, /* maximum number of words in a group, for which the words take 1 MiB */
};

/* Returns true if a group may end after these 8 bytes of content. */
static inline int tokens_is_border(uint64_t last8)
{
    return (last8 * UINT64_C(0x9e3779b97f4a7c15) >> 40 & TOKENS_GROUP_MASK) == 0;
}
