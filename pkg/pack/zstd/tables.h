/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8878's constants, and Huffman codes. */
#pragma once

#include "pack/zstd/frame.h"

enum { ZFRAME_LL_CODES = 36, ZFRAME_OF_CODES = 32, ZFRAME_ML_CODES = 53, ZFRAME_WEIGHT_LOG_MAX = 6 };
enum { ZFRAME_HUFFMAN_MAX = 11, ZFRAME_WEIGHT_CODES = ZFRAME_HUFFMAN_MAX + 1 };

struct pack_zframe_length {
    uint32_t base;
    uint8_t bits;
};
extern const struct pack_zframe_length pack_zframe_ll[ZFRAME_LL_CODES], pack_zframe_ml[ZFRAME_ML_CODES];
extern const uint8_t pack_zframe_codes[ZFRAME_ALPHABETS];   /* sizes */
extern const uint8_t pack_zframe_log_max[ZFRAME_ALPHABETS]; /* tables' */
extern const struct pack_zframe_counts pack_zframe_predefined[ZFRAME_ALPHABETS];

/* Length of the longest code, or 0: n weights are no complete code. */
unsigned pack_zframe_weights_log(const uint8_t *weight, unsigned n);

struct pack_zframe_code {
    uint16_t code;
    uint8_t bits; /* 0: none */
};
/* The weights are complete. */
void pack_zframe_codes_build(const struct pack_zframe_weights *weights, struct pack_zframe_code codes[ZFRAME_WEIGHTS]);

/* An alphabet's table in this block: by its mode, or the one before. False: none. */
bool pack_zframe_table_set(struct pack_zframe_state *state, const struct pack_zframe_block *block, unsigned alphabet);

static inline unsigned pack_zframe_log2(uint32_t v)
{
    return 31 - (unsigned)__builtin_clz(v);
}
