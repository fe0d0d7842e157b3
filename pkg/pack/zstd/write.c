/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions and content become a frame's blocks. Symbols are written last first, as finite state entropy demands. The
 * writer checks each symbol against its table, so hostile decisions end in an error. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "pack/zstd/tables.h"

/* No description and no section goes beyond the bytes of the block and these. */
enum { SLACK = 1024 };

/* ---- literals ---------------------------------------------------------------------------------------------------- */

static bool write_fse_weights(const struct pack_zframe_weights *weights, struct pack_zframe_bits_out *out)
{
    struct pack_zframe_fse fse;
    size_t start = out->n;
    unsigned n = weights->n - 1, state[2]; /* of the last two symbols, then of those before */

    if (n < 2 || !pack_zframe_counts_valid(&weights->counts, ZFRAME_WEIGHT_CODES, ZFRAME_WEIGHT_LOG_MAX))
        return false;
    pack_zframe_bits_put_byte(out, 0);
    pack_zframe_counts_write(&weights->counts, out);
    pack_zframe_fse_build(&fse, &weights->counts);
    state[n % 2] = weights->last[0];
    state[(n + 1) % 2] = weights->last[1];
    for (unsigned i = 0; i < 2; i++)
        if (weights->last[i] >= 1u << fse.log || fse.state[weights->last[i]].symbol != weights->weight[n - 2 + i])
            return false;
    for (unsigned i = n - 2; i-- > 0;) {
        if (fse.count[weights->weight[i]] == 0)
            return false;
        state[i % 2] = pack_zframe_fse_before(&fse, weights->weight[i], state[i % 2], out);
    }
    pack_zframe_bits_put(out, state[1], fse.log);
    pack_zframe_bits_put(out, state[0], fse.log);
    pack_zframe_bits_end(out);
    size_t bytes = out->n - start - 1;
    if (out->full || bytes >= 128)
        return false;
    out->p[start] = (unsigned char)bytes;
    return true;
}

static bool write_weights(const struct pack_zframe_weights *weights, struct pack_zframe_bits_out *out)
{
    unsigned n = weights->n - 1; /* the last one is not written */

    if (pack_zframe_weights_log(weights->weight, weights->n) == 0)
        return false;
    if (weights->fse)
        return write_fse_weights(weights, out);
    if (n > 128)
        return false;
    pack_zframe_bits_put_byte(out, (unsigned char)(127 + n));
    for (unsigned i = 0; i < n; i += 2)
        pack_zframe_bits_put_byte(out,
                                  (unsigned char)(weights->weight[i] << 4 | (i + 1 < n ? weights->weight[i + 1] : 0)));
    return true;
}

static bool write_stream(const struct pack_zframe_code *codes, const unsigned char *p, size_t n,
                         struct pack_zframe_bits_out *out)
{
    for (size_t i = n; i-- > 0;) {
        if (codes[p[i]].bits == 0)
            return false;
        pack_zframe_bits_put(out, codes[p[i]].code, codes[p[i]].bits);
    }
    pack_zframe_bits_end(out);
    return true;
}

static bool write_streams(const struct pack_zframe_code *codes, const unsigned char *p, size_t n,
                          struct pack_zframe_bits_out *out)
{
    size_t quarter = (n + 3) / 4, jumps = out->n;

    if (n < 3 * quarter)
        return false;
    for (unsigned i = 0; i < 6; i++)
        pack_zframe_bits_put_byte(out, 0);
    for (unsigned i = 0; i < 4; i++) {
        size_t start = out->n;
        if (!write_stream(codes, p + i * quarter, i < 3 ? quarter : n - 3 * quarter, out) || out->full ||
            out->n - start > UINT16_MAX)
            return false;
        if (i < 3) {
            out->p[jumps + 2 * i] = (unsigned char)(out->n - start);
            out->p[jumps + 2 * i + 1] = (unsigned char)((out->n - start) >> 8);
        }
    }
    return true;
}

static bool write_literals(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                           const unsigned char *p, struct pack_zframe_bits_out *out)
{
    static const uint8_t head_n[4] = {3, 3, 4, 5}, size_bits[4] = {10, 10, 14, 18};
    uint32_t n = block->literals_n;
    unsigned format = block->size_format;
    uint64_t word = (uint64_t)block->literals | format << 2;

    if (format > 3)
        return false;
    if (block->literals <= ZFRAME_LIT_RLE) {
        unsigned bytes = 1 + (format & 1) + (format >> 1);
        bool single = block->literals == ZFRAME_LIT_RLE;
        if (format == 2 || n >> (bytes == 1 ? 5 : bytes == 2 ? 12 : 20) != 0 || (single && n == 0))
            return false;
        word |= (uint64_t)n << (bytes == 1 ? 3 : 4);
        for (unsigned i = 0; i < bytes; i++)
            pack_zframe_bits_put_byte(out, (unsigned char)(word >> 8 * i));
        for (uint32_t i = 0; i < (single ? 1 : n); i++)
            pack_zframe_bits_put_byte(out, p[i]);
        for (uint32_t i = 1; single && i < n; i++)
            if (p[i] != p[0])
                return false;
        return true;
    }
    struct pack_zframe_code codes[ZFRAME_WEIGHTS];
    size_t head = out->n;
    for (unsigned i = 0; i < head_n[format]; i++)
        pack_zframe_bits_put_byte(out, 0);
    if (block->literals == ZFRAME_LIT_HUFFMAN) {
        if (!write_weights(&block->weights, out))
            return false;
        state->weights = block->weights;
        state->weights_known = true;
    }
    if (!state->weights_known)
        return false;
    pack_zframe_codes_build(&state->weights, codes);
    if (!(format == 0 ? write_stream(codes, p, n, out) : write_streams(codes, p, n, out)) || out->full)
        return false;
    size_t packed_n = out->n - head - head_n[format];
    if (n >> size_bits[format] != 0 || packed_n >> size_bits[format] != 0)
        return false;
    word |= (uint64_t)n << 4 | (uint64_t)packed_n << (4 + size_bits[format]);
    for (unsigned i = 0; i < head_n[format]; i++)
        out->p[head + i] = (unsigned char)(word >> 8 * i);
    return true;
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

static void write_count(size_t n, struct pack_zframe_bits_out *out)
{
    if (n < 128) {
        pack_zframe_bits_put_byte(out, (unsigned char)n);
    } else if (n < 0x7f00) {
        pack_zframe_bits_put_byte(out, (unsigned char)(128 + (n >> 8)));
        pack_zframe_bits_put_byte(out, (unsigned char)n);
    } else {
        pack_zframe_bits_put_byte(out, 255);
        pack_zframe_bits_put_byte(out, (unsigned char)(n - 0x7f00));
        pack_zframe_bits_put_byte(out, (unsigned char)((n - 0x7f00) >> 8));
    }
}

static bool write_bits(const struct pack_zframe_state *state, const struct pack_zframe_block *block,
                       struct pack_zframe_bits_out *out)
{
    static const uint8_t order[ZFRAME_ALPHABETS] = {ZFRAME_OF, ZFRAME_ML, ZFRAME_LL}; /* of their updates */
    unsigned at[ZFRAME_ALPHABETS] = {0};

    for (size_t i = block->n; i-- > 0;) {
        const struct pack_zframe_sequence *sequence = &block->sequence[i];
        if (sequence->offset == 0)
            return false;
        unsigned code[ZFRAME_ALPHABETS] = {[ZFRAME_LL] = pack_zframe_ll_code(sequence->literals),
                                           [ZFRAME_OF] = pack_zframe_log2(sequence->offset),
                                           [ZFRAME_ML] = pack_zframe_ml_code(sequence->match)};
        for (unsigned k = 0; k < ZFRAME_ALPHABETS; k++) {
            unsigned a = order[k], last = block->table[a].last;
            const struct pack_zframe_fse *fse = &state->fse[a];
            if (fse->count[code[a]] == 0)
                return false;
            if (i + 1 < block->n)
                at[a] = pack_zframe_fse_before(fse, code[a], at[a], out);
            else if (last < 1u << fse->log && fse->state[last].symbol == code[a])
                at[a] = last;
            else
                return false;
        }
        pack_zframe_bits_put(out, sequence->literals - pack_zframe_ll[code[ZFRAME_LL]].base,
                             pack_zframe_ll[code[ZFRAME_LL]].bits);
        pack_zframe_bits_put(out, sequence->match - pack_zframe_ml[code[ZFRAME_ML]].base,
                             pack_zframe_ml[code[ZFRAME_ML]].bits);
        pack_zframe_bits_put(out, sequence->offset, code[ZFRAME_OF]);
    }
    for (unsigned k = 0; k < ZFRAME_ALPHABETS; k++) {
        unsigned a = k == 0 ? ZFRAME_ML : k == 1 ? ZFRAME_OF : ZFRAME_LL;
        pack_zframe_bits_put(out, at[a], state->fse[a].log);
    }
    pack_zframe_bits_end(out);
    return true;
}

static bool write_sequences(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                            struct pack_zframe_bits_out *out)
{
    write_count(block->n, out);
    if (block->n == 0)
        return true;
    unsigned modes = 0;
    for (unsigned i = 0; i < ZFRAME_ALPHABETS; i++)
        modes |= (unsigned)block->table[i].mode << (6 - 2 * i);
    pack_zframe_bits_put_byte(out, (unsigned char)modes);
    for (unsigned i = 0; i < ZFRAME_ALPHABETS; i++) {
        if (!pack_zframe_table_set(state, block, i))
            return false;
        if (block->table[i].mode == ZFRAME_SINGLE)
            pack_zframe_bits_put_byte(out, block->table[i].single);
        else if (block->table[i].mode == ZFRAME_FSE)
            pack_zframe_counts_write(&block->table[i].counts, out);
    }
    return write_bits(state, block, out);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Collects the literals. False: the sequences do not cover the content as stated. */
static bool gather(const struct pack_zframe_block *block, const unsigned char *content, unsigned char *literals)
{
    uint32_t at = 0, n = 0;

    for (size_t i = 0; i < block->n; i++) {
        const struct pack_zframe_sequence *sequence = &block->sequence[i];
        if (sequence->match < 3 || sequence->literals > block->content_n - at ||
            sequence->match > block->content_n - at - sequence->literals)
            return false;
        memcpy(literals + n, content + at, sequence->literals);
        n += sequence->literals;
        at += sequence->literals + sequence->match;
    }
    memcpy(literals + n, content + at, block->content_n - at);
    return n + (block->content_n - at) == block->literals_n;
}

static int write_compressed(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                            const unsigned char *content, unsigned char *work, struct hf_buf *out)
{
    size_t start = out->n;
    int r = hf_buf_reserve(out, ZFRAME_BLOCK_HEAD + ZFRAME_BLOCK_MAX + SLACK);

    if (r < 0)
        return r;
    struct pack_zframe_bits_out bits = {(unsigned char *)out->p + start + ZFRAME_BLOCK_HEAD, .cap = ZFRAME_BLOCK_MAX};
    if (block->n >= ZFRAME_SEQUENCES || !gather(block, content, work) || !write_literals(state, block, work, &bits) ||
        !write_sequences(state, block, &bits) || bits.full)
        return -EBADMSG;
    unsigned char *head = (unsigned char *)out->p + start;
    uint32_t value = (block->last ? 1 : 0) | ZFRAME_COMPRESSED << 1 | (uint32_t)bits.n << 3;
    for (unsigned i = 0; i < ZFRAME_BLOCK_HEAD; i++)
        head[i] = (unsigned char)(value >> 8 * i);
    out->n = start + ZFRAME_BLOCK_HEAD + bits.n;
    out->p[out->n] = '\0';
    return 0;
}

int pack_zframe_block_write(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                            const unsigned char *content, unsigned char *work, struct hf_buf *out)
{
    unsigned char head[ZFRAME_BLOCK_HEAD];
    uint32_t value = (block->last ? 1 : 0) | (uint32_t)block->kind << 1 | block->content_n << 3;

    if (block->content_n > ZFRAME_BLOCK_MAX)
        return -EBADMSG;
    if (block->kind == ZFRAME_COMPRESSED)
        return write_compressed(state, block, content, work, out);
    for (uint32_t i = 1; block->kind == ZFRAME_RLE && i < block->content_n; i++)
        if (content[i] != content[0])
            return -EBADMSG;
    if (block->kind == ZFRAME_RLE && block->content_n == 0)
        return -EBADMSG;
    for (unsigned i = 0; i < ZFRAME_BLOCK_HEAD; i++)
        head[i] = (unsigned char)(value >> 8 * i);
    int r = hf_buf_add(out, head, sizeof(head));
    return r == 0 ? hf_buf_add(out, content, block->kind == ZFRAME_RLE ? 1 : block->content_n) : r;
}
