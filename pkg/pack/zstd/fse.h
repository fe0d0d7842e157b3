/* SPDX-License-Identifier: Apache-2.0 */
/* Finite state entropy (RFC 8878, 4.1): tables and their descriptions. */
#pragma once

#include "pack/zstd/bits.h"

enum { FSE_SYMBOLS = 53, FSE_LOG_MIN = 5, FSE_LOG_MAX = 9 };

struct pack_zframe_counts {
    uint8_t log, n;             /* n: last symbol + 1 */
    int16_t count[FSE_SYMBOLS]; /* -1: a probability below 1 / 2^log; 0 from n on */
};

/* Reads a table's description. Returns its length, or 0: invalid, or beyond `symbols` or `log_max`. */
size_t pack_zframe_counts_read(const unsigned char *p, size_t n, unsigned symbols, unsigned log_max,
                               struct pack_zframe_counts *ret_counts);
void pack_zframe_counts_write(const struct pack_zframe_counts *counts, struct pack_zframe_bits_out *out);
/* Whether the counts add up to the table's size, and the last is not 0. */
bool pack_zframe_counts_valid(const struct pack_zframe_counts *counts, unsigned symbols, unsigned log_max);

struct pack_zframe_fse {
    unsigned log;
    struct {
        uint16_t base;
        uint8_t symbol, bits;
    } state[1 << FSE_LOG_MAX];
    uint16_t count[FSE_SYMBOLS], first[FSE_SYMBOLS], order[1 << FSE_LOG_MAX];
};

/* Requires valid `counts`. */
void pack_zframe_fse_build(struct pack_zframe_fse *fse, const struct pack_zframe_counts *counts);
/* Builds the table of a single symbol, whose coding takes no bits. */
void pack_zframe_fse_single(struct pack_zframe_fse *fse, unsigned symbol);

/* Returns the state in which `symbol` leads to `next`, and writes the bits between. The symbol must have states. */
static inline unsigned pack_zframe_fse_before(const struct pack_zframe_fse *fse, unsigned symbol, unsigned next,
                                              struct pack_zframe_bits_out *out)
{
    unsigned count = fse->count[symbol], v = next + (1u << fse->log);
    unsigned bits = fse->log - (31 - (unsigned)__builtin_clz(count));

    if (v >> bits < count)
        bits--;
    pack_zframe_bits_put(out, v, bits);
    return fse->order[fse->first[symbol] + (v >> bits) - count];
}
