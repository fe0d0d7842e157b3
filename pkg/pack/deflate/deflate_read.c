/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bits through a 64-bit buffer. Short codes are found in a table by the next FAST_BITS bits, longer ones bit
 * by bit. A reader keeps the bits that describe a block's codes exactly as they are, because an encoder other than
 * the predicted one may describe the same codes in another way. Oversubscribed codes are refused; incomplete ones
 * are accepted, and fail only if the stream uses a missing code. A feature that no encoder writes (padding that is
 * not zero, length 258 by the wrong symbol) sets `odd`: such a stream cannot be made again from its tokens. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "pack/deflate/deflate.h"

/* ---- bits in ----------------------------------------------------------------------------------------------------- */

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "deflate stream: %s", what);
}

static int next_byte(struct deflate_reader *reader, unsigned *ret_byte, struct hf_err *err)
{
    int r = pack_reader_fill(&reader->in, err);

    if (r <= 0)
        return r < 0 ? r : damaged(err, "it is incomplete");
    *ret_byte = reader->in.buffer[reader->in.pos++];
    return 0;
}

/* Reads until reader->bits holds at least n <= 32 bits. */
static int need(struct deflate_reader *reader, unsigned n, struct hf_err *err)
{
    while (reader->bits_n < n) {
        unsigned byte = 0;
        int r = next_byte(reader, &byte, err);
        if (r < 0)
            return r;
        reader->bits |= (uint64_t)byte << reader->bits_n;
        reader->bits_n += 8;
    }
    return 0;
}

static unsigned take(struct deflate_reader *reader, unsigned n)
{
    unsigned value = (unsigned)(reader->bits & ((UINT64_C(1) << n) - 1));

    reader->bits >>= n;
    reader->bits_n -= n;
    return value;
}

static int get(struct deflate_reader *reader, unsigned n, unsigned *ret_value, struct hf_err *err)
{
    int r = need(reader, n, err);

    if (r == 0)
        *ret_value = take(reader, n);
    return r;
}

/* Reads until reader->bits holds more than 32 bits or the input ends, which is no error here. */
static int look(struct deflate_reader *reader, struct hf_err *err)
{
    while (reader->bits_n <= 32) {
        int r = reader->in.pos < reader->in.n ? 1 : pack_reader_fill(&reader->in, err);
        if (r <= 0)
            return r;
        reader->bits |= (uint64_t)reader->in.buffer[reader->in.pos++] << reader->bits_n;
        reader->bits_n += 8;
    }
    return 0;
}

/* Skips to the first bit of the next byte. */
static void align(struct deflate_reader *reader)
{
    if (take(reader, reader->bits_n % 8) != 0)
        reader->odd = true; /* every encoder pads with zero bits */
}

uint64_t deflate_reader_end(struct deflate_reader *reader)
{
    align(reader);
    return pack_reader_offset(&reader->in) - reader->bits_n / 8;
}

/* Skips to the next whole byte and reads that byte. */
static int reader_byte(struct deflate_reader *reader, unsigned *ret_byte, struct hf_err *err)
{
    align(reader);
    return get(reader, 8, ret_byte, err);
}

int deflate_reader_tail(struct deflate_reader *reader, uint32_t crc, uint32_t length, struct hf_err *err)
{
    uint32_t have[2] = {0, 0};
    unsigned byte = 0;

    for (unsigned i = 0; i < 8; i++) {
        int r = reader_byte(reader, &byte, err);
        if (r < 0)
            return r;
        have[i / 4] |= byte << 8 * (i % 4);
    }
    if (have[0] != crc || have[1] != length)
        return hf_err_set(err, EBADMSG, "gzip member: wrong checksum or length");
    return 0;
}

/* ---- codes ------------------------------------------------------------------------------------------------------- */

enum { FAST_BITS = 10 };

/* A canonical Huffman decoder: the number of codes of each length, the symbols in the order of their codes, and a
 * table of all short codes. */
struct decoder {
    uint16_t count[16], symbols[288];
    uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: a longer code, or none */
};

static void fill_fast(struct decoder *decoder)
{
    unsigned code = 0, index = 0;

    memset(decoder->fast, 0, sizeof(decoder->fast));
    for (unsigned bits = 1; bits <= FAST_BITS; bits++) {
        for (unsigned i = 0; i < decoder->count[bits]; i++, code++, index++) {
            unsigned reversed = 0;
            for (unsigned b = 0; b < bits; b++)
                reversed |= (code >> b & 1u) << (bits - 1 - b);
            for (; reversed < 1 << FAST_BITS; reversed += 1u << bits)
                decoder->fast[reversed] = (uint16_t)((unsigned)decoder->symbols[index] << 4 | bits);
        }
        code <<= 1;
    }
}

/* Refuses oversubscribed codes. Accepts incomplete ones: decode() fails if the stream has a code that is missing. */
static int make_decoder(const uint8_t *lengths, unsigned n, struct decoder *decoder, struct hf_err *err)
{
    unsigned offset[16] = {0};
    int left = 1;

    memset(decoder->count, 0, sizeof(decoder->count));
    for (unsigned i = 0; i < n; i++)
        decoder->count[lengths[i]]++;
    for (unsigned bits = 1; bits < 16; bits++) {
        left = 2 * left - decoder->count[bits];
        if (left < 0)
            return damaged(err, "oversubscribed codes");
    }
    for (unsigned bits = 1; bits < 15; bits++)
        offset[bits + 1] = offset[bits] + decoder->count[bits];
    for (unsigned i = 0; i < n; i++)
        if (lengths[i] != 0)
            decoder->symbols[offset[lengths[i]]++] = (uint16_t)i;
    decoder->count[0] = 0;
    fill_fast(decoder);
    return 0;
}

static int decode(struct deflate_reader *reader, const struct decoder *decoder, unsigned *ret_symbol,
                  struct hf_err *err)
{
    unsigned code = 0, first = 0, index = 0;
    int r = look(reader, err);

    if (r < 0)
        return r;
    unsigned fast = decoder->fast[reader->bits & ((1u << FAST_BITS) - 1)];
    if (fast != 0 && (fast & 15) <= reader->bits_n) {
        (void)take(reader, fast & 15);
        *ret_symbol = fast >> 4;
        return 0;
    }
    for (unsigned bits = 1; bits < 16 && bits <= reader->bits_n; bits++) {
        code |= (unsigned)(reader->bits >> (bits - 1)) & 1u;
        unsigned count = decoder->count[bits];
        if (code - first < count) {
            (void)take(reader, bits);
            *ret_symbol = decoder->symbols[index + (code - first)];
            return 0;
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return damaged(err, reader->bits_n < 15 ? "it is incomplete" : "an unassigned code");
}

/* ---- the description of codes ------------------------------------------------------------------------------------ */

/* The description of a block's codes while it is read. */
struct description {
    struct deflate_reader *reader;
    struct deflate_head *head; /* keeps the bits; may be NULL */
};

static int take_bits(struct description *from, unsigned n, unsigned *ret_value, struct hf_err *err)
{
    int r = get(from->reader, n, ret_value, err);

    if (r < 0 || from->head == NULL)
        return r;
    if (from->head->bits + n > 8 * DEFLATE_HEAD_BYTES)
        return damaged(err, "a description of codes is too long");
    for (unsigned i = 0; i < n; i++, from->head->bits++)
        from->head->bytes[from->head->bits / 8] |= (unsigned char)((*ret_value >> i & 1u) << from->head->bits % 8);
    return 0;
}

static int take_symbol(struct description *from, const struct decoder *decoder, unsigned *ret_symbol,
                       struct hf_err *err)
{
    unsigned code = 0, first = 0, index = 0, bit = 0;

    for (unsigned bits = 1; bits < 8; bits++) {
        int r = take_bits(from, 1, &bit, err);
        if (r < 0)
            return r;
        code |= bit;
        unsigned count = decoder->count[bits];
        if (code - first < count) {
            *ret_symbol = decoder->symbols[index + (code - first)];
            return 0;
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return damaged(err, "an unassigned code for a code length");
}

static int read_lengths(struct description *from, const struct decoder *decoder, uint8_t *lengths, unsigned n,
                        struct hf_err *err)
{
    unsigned i = 0, symbol = 0, extra = 0;
    int r;

    while (i < n) {
        if ((r = take_symbol(from, decoder, &symbol, err)) < 0)
            return r;
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        if ((r = take_bits(from, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &extra, err)) < 0)
            return r;
        unsigned times = extra + (symbol == 18 ? 11 : 3);
        if ((symbol == 16 && i == 0) || times > n - i)
            return damaged(err, "a run of code lengths is too long");
        memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, times);
        i += times;
    }
    return 0;
}

static int read_description(struct description *from, struct deflate_codes *ret_codes, struct hf_err *err)
{
    uint8_t lengths[DEFLATE_LENGTH_CODES] = {0}, both[288 + 32] = {0};
    unsigned literals = 0, distances = 0, n = 0, value = 0;
    struct decoder decoder;
    int r;

    if ((r = take_bits(from, 5, &literals, err)) < 0 || (r = take_bits(from, 5, &distances, err)) < 0 ||
        (r = take_bits(from, 4, &n, err)) < 0)
        return r;
    literals += 257;
    distances += 1;
    if (literals > DEFLATE_LITERALS || distances > DEFLATE_DISTANCES)
        return damaged(err, "too many symbols");
    for (unsigned i = 0; i < n + 4; i++) {
        if ((r = take_bits(from, 3, &value, err)) < 0)
            return r;
        lengths[deflate_length_order[i]] = (uint8_t)value;
    }
    r = make_decoder(lengths, DEFLATE_LENGTH_CODES, &decoder, err);
    if (r == 0)
        r = read_lengths(from, &decoder, both, literals + distances, err);
    if (r < 0)
        return r;
    memset(ret_codes, 0, sizeof(*ret_codes));
    memcpy(ret_codes->literal, both, literals);
    memcpy(ret_codes->distance, both + literals, distances);
    struct decoder check;
    r = make_decoder(ret_codes->literal, 288, &check, err);
    return r == 0 ? make_decoder(ret_codes->distance, 32, &check, err) : r;
}

static ssize_t head_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct deflate_head *head = ctx;

    if (offset >= sizeof(head->bytes))
        return 0;
    n = HF_MIN(n, sizeof(head->bytes) - (size_t)offset);
    memcpy(bytes, head->bytes + offset, n);
    return (ssize_t)n;
}

int deflate_head_read(const struct deflate_head *head, struct deflate_codes *ret_codes, struct hf_err *err)
{
    struct deflate_head copy = *head;
    const struct hf_delta_old from = {&copy, head_pread, sizeof(copy.bytes)};
    struct deflate_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    struct description description = {reader, NULL};
    pack_reader_init(&reader->in, &from, 0, sizeof(copy.bytes));
    int r = read_description(&description, ret_codes, err);
    if (r == 0 && 8 * pack_reader_offset(&reader->in) - reader->bits_n != head->bits)
        r = damaged(err, "a description of codes has a wrong length");
    free(reader);
    return r;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static int add(struct deflate_block *block, uint32_t token, struct hf_err *err)
{
    void *tokens = block->tokens;
    int r = 0;

    if (block->n == block->cap)
        r = deflate_grow(&tokens, sizeof(*block->tokens), &block->cap, DEFLATE_TOKENS_MAX, err);
    block->tokens = tokens;
    if (r == 0)
        block->tokens[block->n++] = token;
    return r;
}

static int read_stored(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err)
{
    unsigned n = 0, check = 0, byte = 0;
    int r;

    align(reader);
    if ((r = get(reader, 16, &n, err)) < 0 || (r = get(reader, 16, &check, err)) < 0)
        return r;
    if ((n ^ check) != 0xffff)
        return damaged(err, "invalid length of a stored block");
    for (unsigned i = 0; r == 0 && i < n; i++) {
        r = get(reader, 8, &byte, err);
        if (r == 0)
            r = add(block, byte, err);
    }
    return r;
}

static int read_match(struct deflate_reader *reader, const struct decoder *distances, unsigned symbol,
                      uint32_t *ret_token, struct hf_err *err)
{
    unsigned extra = 0, far = 0;
    int r;

    if (symbol > 285)
        return damaged(err, "invalid length symbol");
    unsigned length = deflate_length_base[symbol - 257];
    if ((r = get(reader, deflate_length_bits[symbol - 257], &extra, err)) < 0)
        return r;
    length += extra;
    if (length == 258 && symbol != 285)
        reader->odd = true;
    if ((r = decode(reader, distances, &symbol, err)) < 0)
        return r;
    if (symbol >= DEFLATE_DISTANCES)
        return damaged(err, "invalid distance symbol");
    if ((r = get(reader, deflate_distance_bits[symbol], &far, err)) < 0)
        return r;
    *ret_token = deflate_match(length, deflate_distance_base[symbol] + far);
    return 0;
}

static int read_tokens(struct deflate_reader *reader, const struct deflate_codes *codes, struct deflate_block *block,
                       struct hf_err *err)
{
    struct decoder literals, distances;
    unsigned symbol = 0;
    int r = make_decoder(codes->literal, 288, &literals, err);

    if (r == 0)
        r = make_decoder(codes->distance, 32, &distances, err);
    while (r == 0 && (r = decode(reader, &literals, &symbol, err)) == 0 && symbol != 256) {
        uint32_t token = symbol;
        if (symbol > 256)
            r = read_match(reader, &distances, symbol, &token, err);
        if (r == 0)
            r = add(block, token, err);
    }
    return r;
}

int deflate_read_block(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err)
{
    struct description description = {reader, &block->head};
    struct deflate_codes codes;
    unsigned head = 0;
    int r = get(reader, 3, &head, err);

    if (r < 0)
        return r;
    block->n = 0;
    block->last = (head & 1) != 0;
    memset(&block->head, 0, sizeof(block->head));
    switch (head >> 1) {
    case 0:
        block->kind = DEFLATE_STORED;
        return read_stored(reader, block, err);
    case 1:
        block->kind = DEFLATE_FIXED;
        deflate_fixed_codes(&codes);
        break;
    case 2:
        block->kind = DEFLATE_GIVEN;
        if ((r = read_description(&description, &codes, err)) < 0)
            return r;
        break;
    default:
        return damaged(err, "unknown kind of block");
    }
    return read_tokens(reader, &codes, block, err);
}
