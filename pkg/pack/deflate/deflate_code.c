/* SPDX-License-Identifier: Apache-2.0 */
/* Codes and block kinds as the predicted encoder makes them, compared with those of a block. */
#include "pack/deflate/deflate_code.h"

#include <string.h>

void deflate_predict(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                     const uint32_t distance[DEFLATE_DISTANCES], struct deflate_prediction *ret_prediction)
{
    if (coding == DEFLATE_CODING_GZIP)
        deflate_gzip_predict(literal, distance, ret_prediction);
    else
        deflate_go_predict(literal, distance, coding == DEFLATE_CODING_ALL, ret_prediction);
}

enum deflate_kind deflate_predict_kind(enum deflate_coding coding, const struct deflate_prediction *prediction,
                                       uint64_t content_n, bool has_content)
{
    return coding == DEFLATE_CODING_GZIP ? deflate_gzip_kind(prediction, content_n, has_content)
                                         : deflate_go_kind(prediction, content_n, has_content);
}

enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n)
{
    enum deflate_kind kind = block->kind;
    struct deflate_prediction prediction;

    literal[256]++;
    deflate_predict(coding, literal, distance, &prediction);
    literal[256]--;
    if (kind == DEFLATE_GIVEN && prediction.head.bits == block->head.bits &&
        memcmp(prediction.head.bytes, block->head.bytes, (block->head.bits + 7) / 8) == 0)
        kind = DEFLATE_DYNAMIC;
    if (kind != DEFLATE_GIVEN &&
        deflate_predict_kind(coding, &prediction, content_n, content_n <= DEFLATE_STORED_MAX) == kind)
        kind = DEFLATE_AUTO;
    return kind;
}
