/* Every compression this project knows. In a file of its own: a program that defines pack_codec_ops() itself is linked without what it
 * leaves out (cmd/holdfast-delta). */
#include "pack/codec/stage.h"

const struct pack_encoder_ops *pack_codec_ops(enum pack_codec codec)
{
    static const struct pack_encoder_ops *const table[PACK_CODEC_END] = {
        [PACK_CODEC_DEFLATE] = &pack_deflate_ops,
        [PACK_CODEC_DEFLATE_TOKENS] = &pack_tokens_ops,
        [PACK_CODEC_XZ] = &pack_xz_ops,
        [PACK_CODEC_ZSTD] = &pack_zstd_ops,
    };

    return codec > 0 && codec < PACK_CODEC_END ? table[codec] : NULL;
}
