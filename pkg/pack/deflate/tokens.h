/* pack/deflate/tokens.h - the plain form of PACK_CODEC_DEFLATE_TOKENS: groups of 32-bit words that say what the encoder chose, each
 * group followed by the content it covers. FORMAT.md, "Deflate by its tokens". */
#pragma once

#include <stdint.h>

enum {
    TOKENS_NO_MATCH = 0xffff,
    TOKENS_END = 0xfffe,   /* end of block: kind in bits 8..10, last in bit 11 */
    TOKENS_GO_ON = 0xfffd, /* the block does not end here, though it has as many tokens as the first one had */
    TOKENS_GROUP_MIN = 64 << 10,
    TOKENS_GROUP_MAX = 256 << 10, /* of content; the token that passes it ends the group */
    TOKENS_CONTENT_MAX = TOKENS_GROUP_MAX + 258,
    TOKENS_GROUP_MASK = 0xffff,
    TOKENS_WORDS_MAX = 1 << 18, /* of one group: 1 MiB */
};

/* May a group end where these are the last 8 bytes of content? */
static inline int tokens_is_border(uint64_t last8)
{
    return (last8 * UINT64_C(0x9e3779b97f4a7c15) >> 40 & TOKENS_GROUP_MASK) == 0;
}
