/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/zstd/fse.h"

#include <string.h>

#include "base/macros.h"

/* A value of 0..left needs between bits - 1 and bits bits: the lowest ones take the shorter form. */
struct counts_step {
    int32_t left, threshold;
    unsigned bits;
};

static struct counts_step first_step(unsigned log)
{
    return (struct counts_step){(1 << log) + 1, 1 << log, log + 1};
}

static void take(struct counts_step *step, int count)
{
    step->left -= count < 0 ? -count : count;
    while (step->left < step->threshold && step->bits > 1) {
        step->bits--;
        step->threshold >>= 1;
    }
}

size_t pack_zframe_counts_read(const unsigned char *p, size_t n, unsigned symbols, unsigned log_max,
                               struct pack_zframe_counts *ret_counts)
{
    struct pack_zframe_counts counts = {.log = (uint8_t)(n > 0 ? (p[0] & 15) + FSE_LOG_MIN : 0)};
    struct counts_step step = first_step(counts.log);
    uint64_t at = 4;

    if (n == 0 || counts.log > log_max)
        return 0;
    while (step.left > 1 && counts.n < symbols && at <= 8 * n) {
        int32_t short_n = 2 * step.threshold - 1 - step.left;
        int32_t v = (int32_t)pack_zframe_bits_at(p, n, at, step.bits);
        if ((v & (step.threshold - 1)) < short_n) {
            v &= step.threshold - 1;
            at += step.bits - 1;
        } else {
            v -= v >= step.threshold ? short_n : 0;
            at += step.bits;
        }
        if (v > step.left)
            return 0;
        counts.count[counts.n++] = (int16_t)(v - 1);
        take(&step, v - 1);
        for (unsigned zeros = 3; v == 1 && zeros == 3; at += 2) {
            zeros = pack_zframe_bits_at(p, n, at, 2);
            if (counts.n + zeros > symbols)
                return 0;
            counts.n = (uint8_t)(counts.n + zeros);
        }
    }
    size_t bytes = (size_t)((at + 7) / 8);
    if (step.left != 1 || bytes > n)
        return 0;
    *ret_counts = counts;
    return bytes;
}

bool pack_zframe_counts_valid(const struct pack_zframe_counts *counts, unsigned symbols, unsigned log_max)
{
    int32_t sum = 0;

    if (counts->n == 0 || counts->n > symbols || counts->log < FSE_LOG_MIN || counts->log > log_max ||
        counts->count[counts->n - 1] == 0)
        return false;
    for (unsigned i = 0; i < counts->n; i++) {
        if (counts->count[i] < -1)
            return false;
        sum += counts->count[i] < 0 ? 1 : counts->count[i];
    }
    return sum == 1 << counts->log;
}

void pack_zframe_counts_write(const struct pack_zframe_counts *counts, struct pack_zframe_bits_out *out)
{
    struct counts_step step = first_step(counts->log);

    pack_zframe_bits_put(out, counts->log - (uint32_t)FSE_LOG_MIN, 4);
    for (unsigned i = 0; i < counts->n && step.left > 1;) {
        int32_t short_n = 2 * step.threshold - 1 - step.left, v = counts->count[i] + 1;
        pack_zframe_bits_put(out, (uint32_t)(v >= step.threshold ? v + short_n : v), step.bits - (v < short_n ? 1 : 0));
        take(&step, v - 1);
        i++;
        if (v != 1)
            continue;
        unsigned zeros = 0;
        while (i < counts->n && counts->count[i] == 0) {
            zeros++;
            i++;
        }
        for (; zeros >= 3; zeros -= 3)
            pack_zframe_bits_put(out, 3, 2);
        pack_zframe_bits_put(out, zeros, 2);
    }
    pack_zframe_bits_flush(out);
}

void pack_zframe_fse_build(struct pack_zframe_fse *fse, const struct pack_zframe_counts *counts)
{
    unsigned size = 1u << counts->log, high = size - 1, step = (size >> 1) + (size >> 3) + 3, at = 0;
    uint16_t next[FSE_SYMBOLS];

    fse->log = counts->log;
    memset(fse->count, 0, sizeof(fse->count));
    for (unsigned s = 0, sum = 0; s < counts->n; s++) {
        fse->count[s] = (uint16_t)(counts->count[s] < 0 ? 1 : counts->count[s]);
        fse->first[s] = (uint16_t)sum;
        sum += fse->count[s];
        next[s] = fse->count[s];
        if (counts->count[s] < 0)
            fse->state[high--].symbol = (uint8_t)s;
    }
    for (unsigned s = 0; s < counts->n; s++)
        for (int i = 0; i < counts->count[s]; i++) {
            fse->state[at].symbol = (uint8_t)s;
            do
                at = (at + step) & (size - 1);
            while (at > high);
        }
    for (unsigned i = 0; i < size; i++) {
        unsigned s = fse->state[i].symbol, x = next[s]++;
        unsigned bits = counts->log - (31 - (unsigned)__builtin_clz(x));
        fse->order[fse->first[s] + x - fse->count[s]] = (uint16_t)i;
        fse->state[i].bits = (uint8_t)bits;
        fse->state[i].base = (uint16_t)((x << bits) - size);
    }
}

void pack_zframe_fse_single(struct pack_zframe_fse *fse, unsigned symbol)
{
    memset(fse->count, 0, sizeof(fse->count));
    fse->log = 0;
    fse->state[0].symbol = (uint8_t)symbol;
    fse->state[0].bits = 0;
    fse->state[0].base = 0;
    fse->count[symbol] = 1;
    fse->first[symbol] = 0;
    fse->order[0] = 0;
}
