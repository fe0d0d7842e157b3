/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of RFC 8878, and Huffman codes. */
#pragma once

#include "pack/zstd/frame.h"

enum { ZFRAME_LL_CODES = 36, ZFRAME_OF_CODES = 32, ZFRAME_ML_CODES = 53, ZFRAME_WEIGHT_LOG_MAX = 6 };
enum { ZFRAME_HUFFMAN_MAX = 11, ZFRAME_WEIGHT_CODES = ZFRAME_HUFFMAN_MAX + 1 };

struct pack_zframe_length {
    uint32_t base;
    uint8_t bits;
};
extern const struct pack_zframe_length pack_zframe_ll[ZFRAME_LL_CODES], pack_zframe_ml[ZFRAME_ML_CODES];
extern const uint8_t pack_zframe_codes[ZFRAME_ALPHABETS];
extern const uint8_t pack_zframe_log_max[ZFRAME_ALPHABETS];
extern const struct pack_zframe_counts pack_zframe_predefined[ZFRAME_ALPHABETS];

/* Returns the length of the longest code, or 0 if the code is incomplete. */
unsigned pack_zframe_weights_log(const uint8_t *weight, unsigned n);

struct pack_zframe_code {
    uint16_t code;
    uint8_t bits; /* 0: no code */
};
/* Requires complete weights. */
void pack_zframe_codes_build(const struct pack_zframe_weights *weights, struct pack_zframe_code codes[ZFRAME_WEIGHTS]);

/* Sets an alphabet's table by the block's mode, or leaves that of the block before. Returns false without a valid
 * table. */
bool pack_zframe_table_set(struct pack_zframe_state *state, const struct pack_zframe_block *block, unsigned alphabet);

static inline unsigned pack_zframe_log2(uint32_t v)
{
    return 31 - (unsigned)__builtin_clz(v);
}
