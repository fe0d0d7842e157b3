/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all codecs. A file of its own, so that a program that defines its own pack_codec_ops()
 * (cmd/holdfast-delta) does not link the codecs that it leaves out. */
#include "pack/codec/xz.h"
#include "pack/codec/zst.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"
#include "pack/zstd/decisions.h"

const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec)
{
    static const struct pack_codec_ops *const table[PACK_CODEC_END] = {
        [PACK_CODEC_DEFLATE] = &pack_deflate_ops,
        [PACK_CODEC_DEFLATE_TOKENS] = &pack_tokens_ops,
        [PACK_CODEC_XZ] = &pack_xz_ops,
        [PACK_CODEC_ZSTD] = &pack_zstd_ops,
        [PACK_CODEC_ZSTD_DECISIONS] = &pack_zdecisions_ops,
    };

    return codec > 0 && codec < PACK_CODEC_END ? table[codec] : NULL;
}
