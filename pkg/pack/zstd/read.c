/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's blocks become decisions. Only tables and sequences are decoded; literals are content, so their bits follow
 * from it. Every length is checked before its use; what the RFC forbids is refused, and the writer finds the rest. */
#include <string.h>

#include "base/macros.h"
#include "pack/zstd/tables.h"

/* ---- heads ------------------------------------------------------------------------------------------------------- */

enum { MAGIC = 0xfd2fb528, SINGLE = 32, RESERVED = 8, CHECKSUM = 4, DICTIONARY = 3, WINDOW_LOG_MIN = 10 };

static unsigned size_bytes(unsigned descriptor)
{
    unsigned flag = descriptor >> 6;

    return flag == 0 ? (descriptor & SINGLE) != 0 : 1u << flag;
}

bool pack_zframe_head_checksum(const struct pack_zframe_head *head)
{
    return (head->descriptor & CHECKSUM) != 0;
}

bool pack_zframe_head_derive(struct pack_zframe_head *head)
{
    unsigned n = size_bytes(head->descriptor);
    uint64_t least = n == 2 ? 256 : 0, most = n == 8 ? UINT64_MAX - 1 : (UINT64_C(1) << 8 * (n & 7)) - 1 + least;

    if ((head->descriptor & (RESERVED | DICTIONARY)) != 0 || (n == 0) != (head->content_n == UINT64_MAX) ||
        (n > 0 && (head->content_n < least || head->content_n > most)))
        return false;
    if ((head->descriptor & SINGLE) != 0) {
        head->window_n = head->content_n;
    } else {
        head->window_n = UINT64_C(1) << (WINDOW_LOG_MIN + (head->window >> 3));
        head->window_n += head->window_n / 8 * (head->window & 7);
    }
    return head->window_n <= UINT64_C(1) << ZFRAME_WINDOW_LOG_MAX;
}

size_t pack_zframe_head_read(const unsigned char *p, size_t n, struct pack_zframe_head *ret_head)
{
    struct pack_zframe_head head = {.content_n = UINT64_MAX};
    size_t at = 5;

    if (n < 6 || hf_le32(p) != MAGIC)
        return 0;
    head.descriptor = p[4];
    if ((head.descriptor & SINGLE) == 0)
        head.window = p[at++];
    unsigned size_n = size_bytes(head.descriptor);
    if (n < at + size_n)
        return 0;
    if (size_n > 0)
        head.content_n = hf_le(p + at, size_n) + (size_n == 2 ? 256 : 0);
    if (!pack_zframe_head_derive(&head))
        return 0;
    *ret_head = head;
    return at + size_n;
}

size_t pack_zframe_head_write(const struct pack_zframe_head *head, unsigned char bytes[ZFRAME_HEAD_MAX])
{
    struct pack_zframe_head copy = *head;
    unsigned size_n = size_bytes(head->descriptor);
    size_t at = 5;

    if (!pack_zframe_head_derive(&copy))
        return 0;
    hf_put_le32(bytes, MAGIC);
    bytes[4] = head->descriptor;
    if ((head->descriptor & SINGLE) == 0)
        bytes[at++] = head->window;
    uint64_t size = size_n == 2 ? head->content_n - 256 : head->content_n;
    for (unsigned i = 0; i < size_n; i++)
        bytes[at++] = (unsigned char)(size >> 8 * i);
    return at;
}

bool pack_zframe_block_head(const unsigned char *bytes, struct pack_zframe_block *block, size_t *ret_n)
{
    uint32_t head = (uint32_t)hf_le(bytes, ZFRAME_BLOCK_HEAD), n = head >> 3, kind = head >> 1 & 3;

    if (kind > ZFRAME_COMPRESSED || n > ZFRAME_BLOCK_MAX)
        return false;
    block->kind = (enum pack_zframe_kind)kind;
    block->last = (head & 1) != 0;
    block->content_n = n; /* of a compressed block: later */
    *ret_n = kind == ZFRAME_RLE ? 1 : n;
    return true;
}

/* ---- literals ---------------------------------------------------------------------------------------------------- */

/* Two states take turns; the description ends where one of them would need more bits than there are. */
static bool read_fse_weights(const unsigned char *p, size_t n, struct pack_zframe_weights *weights)
{
    struct pack_zframe_fse fse;
    struct pack_zframe_bits_in in;
    size_t head = pack_zframe_counts_read(p, n, ZFRAME_WEIGHT_CODES, ZFRAME_WEIGHT_LOG_MAX, &weights->counts);
    unsigned state[2], i = 0;

    if (head == 0 || !pack_zframe_bits_open(&in, p + head, n - head))
        return false;
    pack_zframe_fse_build(&fse, &weights->counts);
    state[0] = pack_zframe_bits_back(&in, fse.log);
    state[1] = pack_zframe_bits_back(&in, fse.log);
    if (in.at < 0)
        return false;
    for (; i < ZFRAME_WEIGHTS - 2; i++) {
        unsigned *s = &state[i % 2];
        weights->weight[i] = fse.state[*s].symbol;
        if (fse.state[*s].bits > in.at)
            break;
        *s = fse.state[*s].base + pack_zframe_bits_back(&in, fse.state[*s].bits);
    }
    if (in.at != 0 || i >= ZFRAME_WEIGHTS - 2)
        return false;
    weights->weight[i + 1] = fse.state[state[(i + 1) % 2]].symbol;
    weights->last[0] = (uint8_t)state[i % 2];
    weights->last[1] = (uint8_t)state[(i + 1) % 2];
    weights->n = i + 2;
    return true;
}

/* Returns the bytes of the description, or 0. */
static size_t read_weights(const unsigned char *p, size_t n, struct pack_zframe_weights *weights)
{
    size_t bytes = 1;

    memset(weights, 0, sizeof(*weights));
    if (n < 2)
        return 0;
    weights->fse = p[0] < 128;
    if (weights->fse) {
        bytes += p[0];
        if (bytes > n || !read_fse_weights(p + 1, p[0], weights))
            return 0;
    } else {
        weights->n = p[0] - 127u;
        bytes += (weights->n + 1) / 2;
        if (bytes > n)
            return 0;
        for (unsigned i = 0; i < weights->n; i++)
            weights->weight[i] = p[1 + i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
    }
    uint32_t total = 0;
    for (unsigned i = 0; i < weights->n; i++) {
        if (weights->weight[i] > ZFRAME_HUFFMAN_MAX)
            return 0;
        total += weights->weight[i] > 0 ? 1u << (weights->weight[i] - 1) : 0;
    }
    if (total == 0 || total >= 1u << ZFRAME_HUFFMAN_MAX)
        return 0;
    uint32_t rest = (2u << pack_zframe_log2(total)) - total;
    weights->weight[weights->n++] = (uint8_t)(pack_zframe_log2(rest) + 1);
    return pack_zframe_weights_log(weights->weight, weights->n) != 0 ? bytes : 0;
}

/* Returns the bytes of the literals section, or 0. */
static size_t read_literals(struct pack_zframe_state *state, const unsigned char *p, size_t n,
                            struct pack_zframe_block *block)
{
    static const uint8_t head_n[4] = {3, 3, 4, 5}, size_bits[4] = {10, 10, 14, 18};
    size_t head, bytes;

    if (n == 0)
        return 0;
    block->literals = (enum pack_zframe_literals)(p[0] & 3);
    block->size_format = p[0] >> 2 & 3;
    if (block->literals <= ZFRAME_LIT_RLE) {
        block->size_format &= (block->size_format & 1) != 0 ? 3 : 0;
        head = 1u + (block->size_format & 1) + (block->size_format >> 1);
        if (head > n)
            return 0;
        block->literals_n = (uint32_t)hf_le(p, (unsigned)head) >> (head == 1 ? 3 : 4);
        bytes = head + (block->literals == ZFRAME_LIT_RLE ? 1 : block->literals_n);
        return block->literals_n <= ZFRAME_BLOCK_MAX && bytes <= n ? bytes : 0;
    }
    head = head_n[block->size_format];
    if (head > n)
        return 0;
    uint64_t word = hf_le(p, (unsigned)head) >> 4, mask = (1u << size_bits[block->size_format]) - 1;
    block->literals_n = (uint32_t)(word & mask);
    size_t packed_n = (size_t)(word >> size_bits[block->size_format]);
    if (block->literals_n > ZFRAME_BLOCK_MAX || packed_n > n - head)
        return 0;
    if (block->literals == ZFRAME_LIT_HUFFMAN) {
        if (read_weights(p + head, packed_n, &block->weights) == 0)
            return 0;
        state->weights = block->weights;
        state->weights_known = true;
    }
    return state->weights_known ? head + packed_n : 0;
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

/* Returns the bytes of the number of sequences, or 0. */
static size_t read_count(const unsigned char *p, size_t n, size_t *ret_count)
{
    size_t bytes = n == 0 ? 0 : p[0] < 128 ? 1 : p[0] < 255 ? 2 : 3;

    if (bytes == 0 || bytes > n)
        return 0;
    *ret_count = bytes == 1 ? p[0] : bytes == 2 ? ((p[0] - 128u) << 8) + p[1] : hf_le16(p + 1) + 0x7f00u;
    return bytes;
}

/* Returns the bytes of the description, or SIZE_MAX. */
static size_t read_table(struct pack_zframe_state *state, const unsigned char *p, size_t n,
                         struct pack_zframe_block *block, unsigned alphabet)
{
    size_t bytes = 0;

    if (block->table[alphabet].mode == ZFRAME_SINGLE) {
        if (n == 0)
            return SIZE_MAX;
        block->table[alphabet].single = p[0];
        bytes = 1;
    } else if (block->table[alphabet].mode == ZFRAME_FSE) {
        bytes = pack_zframe_counts_read(p, n, pack_zframe_codes[alphabet], pack_zframe_log_max[alphabet],
                                        &block->table[alphabet].counts);
        if (bytes == 0)
            return SIZE_MAX;
    }
    return pack_zframe_table_set(state, block, alphabet) ? bytes : SIZE_MAX;
}

static bool read_bits(const struct pack_zframe_state *state, const unsigned char *p, size_t n,
                      struct pack_zframe_block *block)
{
    const struct pack_zframe_fse *ll = &state->fse[ZFRAME_LL], *of = &state->fse[ZFRAME_OF],
                                 *ml = &state->fse[ZFRAME_ML];
    struct pack_zframe_bits_in in;
    uint32_t literals = 0, matches = 0;

    if (!pack_zframe_bits_open(&in, p, n))
        return false;
    unsigned l = pack_zframe_bits_back(&in, ll->log), o = pack_zframe_bits_back(&in, of->log),
             m = pack_zframe_bits_back(&in, ml->log);
    for (size_t i = 0; i < block->n; i++) {
        struct pack_zframe_sequence *sequence = &block->sequence[i];
        unsigned lc = ll->state[l].symbol, oc = of->state[o].symbol, mc = ml->state[m].symbol;
        sequence->offset = (uint32_t)(UINT64_C(1) << oc) + pack_zframe_bits_back(&in, oc);
        sequence->match = pack_zframe_ml[mc].base + pack_zframe_bits_back(&in, pack_zframe_ml[mc].bits);
        sequence->literals = pack_zframe_ll[lc].base + pack_zframe_bits_back(&in, pack_zframe_ll[lc].bits);
        literals += sequence->literals;
        matches += sequence->match;
        if (in.at < 0 || literals > block->literals_n || matches > ZFRAME_BLOCK_MAX)
            return false;
        if (i + 1 == block->n)
            break;
        l = ll->state[l].base + pack_zframe_bits_back(&in, ll->state[l].bits);
        m = ml->state[m].base + pack_zframe_bits_back(&in, ml->state[m].bits);
        o = of->state[o].base + pack_zframe_bits_back(&in, of->state[o].bits);
    }
    block->table[ZFRAME_LL].last = (uint16_t)l;
    block->table[ZFRAME_OF].last = (uint16_t)o;
    block->table[ZFRAME_ML].last = (uint16_t)m;
    block->content_n = block->literals_n + matches;
    return in.at == 0 && block->content_n <= ZFRAME_BLOCK_MAX;
}

bool pack_zframe_block_read(struct pack_zframe_state *state, const unsigned char *p, size_t n,
                            struct pack_zframe_block *block)
{
    if (block->kind != ZFRAME_COMPRESSED)
        return true;
    size_t at = read_literals(state, p, n, block);
    size_t bytes = at > 0 ? read_count(p + at, n - at, &block->n) : 0;
    if (bytes == 0 || block->n >= ZFRAME_SEQUENCES)
        return false;
    at += bytes;
    block->content_n = block->literals_n;
    if (block->n == 0)
        return at == n;
    if (at == n || (p[at] & 3) != 0)
        return false;
    for (unsigned i = 0; i < ZFRAME_ALPHABETS; i++)
        block->table[i].mode = (enum pack_zframe_mode)(p[at] >> (6 - 2 * i) & 3);
    at++;
    for (unsigned i = 0; i < ZFRAME_ALPHABETS; i++) {
        bytes = read_table(state, p + at, n - at, block, i);
        if (bytes == SIZE_MAX)
            return false;
        at += bytes;
    }
    return read_bits(state, p + at, n - at, block);
}
