/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/zstd/tables.h"

#include <string.h>

#define ONE(n)                                                                                                         \
    {                                                                                                                  \
        n, 0                                                                                                           \
    }
#define FOUR(n) ONE(n), ONE((n) + 1), ONE((n) + 2), ONE((n) + 3)
#define SIXTEEN(n) FOUR(n), FOUR((n) + 4), FOUR((n) + 8), FOUR((n) + 12)

const struct pack_zframe_length pack_zframe_ll[ZFRAME_LL_CODES] = {
    SIXTEEN(0), {16, 1},    {18, 1},    {20, 1},    {22, 1},     {24, 2},     {28, 2},
    {32, 3},    {40, 3},    {48, 4},    {64, 6},    {128, 7},    {256, 8},    {512, 9},
    {1024, 10}, {2048, 11}, {4096, 12}, {8192, 13}, {16384, 14}, {32768, 15}, {65536, 16},
};
const struct pack_zframe_length pack_zframe_ml[ZFRAME_ML_CODES] = {
    SIXTEEN(3), SIXTEEN(19), {35, 1},    {37, 1},    {39, 1},     {41, 1},     {43, 2},     {47, 2},
    {51, 3},    {59, 3},     {67, 4},    {83, 4},    {99, 5},     {131, 7},    {259, 8},    {515, 9},
    {1027, 10}, {2051, 11},  {4099, 12}, {8195, 13}, {16387, 14}, {32771, 15}, {65539, 16},
};

const uint8_t pack_zframe_codes[ZFRAME_ALPHABETS] = {ZFRAME_LL_CODES, ZFRAME_OF_CODES, ZFRAME_ML_CODES};
const uint8_t pack_zframe_log_max[ZFRAME_ALPHABETS] = {9, 8, 9};
const struct pack_zframe_counts pack_zframe_predefined[ZFRAME_ALPHABETS] = {
    {6, 36, {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
             2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}},
    {5, 29, {1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}},
    {6, 53, {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
             1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}},
};

unsigned pack_zframe_ll_code(uint32_t literals)
{
    unsigned code = ZFRAME_LL_CODES - 1;

    if (literals < 16)
        return literals;
    if (literals >= 64)
        return pack_zframe_log2(literals) + 19;
    while (pack_zframe_ll[code].base > literals)
        code--;
    return code;
}

unsigned pack_zframe_ml_code(uint32_t match)
{
    unsigned code = 43;

    if (match < 35)
        return match - 3;
    if (match >= 131)
        return pack_zframe_log2(match - 3) + 36;
    while (pack_zframe_ml[code].base > match)
        code--;
    return code;
}

unsigned pack_zframe_weights_log(const uint8_t *weight, unsigned n)
{
    uint32_t total = 0;

    if (n < 2 || n > ZFRAME_WEIGHTS || weight[n - 1] == 0)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        if (weight[i] > ZFRAME_HUFFMAN_MAX)
            return 0;
        total += weight[i] > 0 ? 1u << (weight[i] - 1) : 0;
    }
    return (total & (total - 1)) == 0 && total >= 2 && total <= 1u << ZFRAME_HUFFMAN_MAX ? pack_zframe_log2(total) : 0;
}

void pack_zframe_codes_build(const struct pack_zframe_weights *weights, struct pack_zframe_code codes[ZFRAME_WEIGHTS])
{
    unsigned log = pack_zframe_weights_log(weights->weight, weights->n), at = 0;

    memset(codes, 0, ZFRAME_WEIGHTS * sizeof(*codes));
    for (unsigned w = 1; w <= log; w++)
        for (unsigned i = 0; i < weights->n; i++)
            if (weights->weight[i] == w) {
                codes[i] = (struct pack_zframe_code){(uint16_t)(at >> (w - 1)), (uint8_t)(log + 1 - w)};
                at += 1u << (w - 1);
            }
}

bool pack_zframe_table_set(struct pack_zframe_state *state, const struct pack_zframe_block *block, unsigned alphabet)
{
    struct pack_zframe_fse *fse = &state->fse[alphabet];

    switch (block->table[alphabet].mode) {
    case ZFRAME_PREDEFINED:
        pack_zframe_fse_build(fse, &pack_zframe_predefined[alphabet]);
        break;
    case ZFRAME_SINGLE:
        if (block->table[alphabet].single >= pack_zframe_codes[alphabet])
            return false;
        pack_zframe_fse_single(fse, block->table[alphabet].single);
        break;
    case ZFRAME_FSE:
        if (!pack_zframe_counts_valid(&block->table[alphabet].counts, pack_zframe_codes[alphabet],
                                      pack_zframe_log_max[alphabet]))
            return false;
        pack_zframe_fse_build(fse, &block->table[alphabet].counts);
        break;
    case ZFRAME_AGAIN:
        return state->known[alphabet];
    default:
        return false;
    }
    state->known[alphabet] = true;
    return true;
}
