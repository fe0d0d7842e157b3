/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "pack/deflate/deflate.h"

enum { IS_MATCH = 256 };

/* ---- bits out ---------------------------------------------------------------------------------------------------- */

static int push(struct deflate_writer *writer, struct hf_err *err)
{
    int r = writer->n > 0 ? writer->out.write(writer->out.ctx, writer->buffer, writer->n, err) : 0;

    writer->n = 0;
    return r;
}

static int put(struct deflate_writer *writer, uint64_t value, unsigned n, struct hf_err *err)
{
    writer->bits |= value << writer->bits_n;
    writer->bits_n += n;
    while (writer->bits_n >= 8) {
        if (writer->n == sizeof(writer->buffer)) {
            int r = push(writer, err);
            if (r < 0)
                return r;
        }
        writer->buffer[writer->n++] = (unsigned char)writer->bits;
        writer->bits >>= 8;
        writer->bits_n -= 8;
    }
    return 0;
}

static int align(struct deflate_writer *writer, struct hf_err *err)
{
    return writer->bits_n > 0 ? put(writer, 0, 8 - writer->bits_n, err) : 0;
}

static int put_bytes(struct deflate_writer *writer, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = put(writer, bytes[i], 8, err);
    return r;
}

/* ---- a block ----------------------------------------------------------------------------------------------------- */

static int put_symbol(struct deflate_writer *writer, const uint8_t *lengths, const uint16_t *codes, unsigned symbol,
                      struct hf_err *err)
{
    if (lengths[symbol] == 0)
        return hf_err_set(err, EBADMSG, "a deflate block has no code for one of its symbols");
    return put(writer, codes[symbol], lengths[symbol], err);
}

static int put_tokens(struct deflate_writer *writer, const struct deflate_codes *codes, struct hf_err *err)
{
    const uint16_t *symbols = writer->symbols;
    uint16_t literal[288], distance[32];
    int r = 0;

    deflate_codes_of(codes->literal, 288, literal);
    deflate_codes_of(codes->distance, 32, distance);
    for (uint32_t i = 0; r == 0 && i < writer->symbols_n; i++) {
        if (symbols[i] < IS_MATCH) {
            r = put_symbol(writer, codes->literal, literal, symbols[i], err);
            continue;
        }
        struct deflate_symbol length = deflate_length_symbol(symbols[i] - IS_MATCH),
                              far = deflate_distance_symbol(symbols[i + 1]);
        i++;
        r = put_symbol(writer, codes->literal, literal, length.symbol, err);
        if (r == 0)
            r = put(writer, length.extra, length.bits, err);
        if (r == 0)
            r = put_symbol(writer, codes->distance, distance, far.symbol, err);
        if (r == 0)
            r = put(writer, far.extra, far.bits, err);
    }
    return r == 0 ? put_symbol(writer, codes->literal, literal, 256, err) : r;
}

static int put_stored(struct deflate_writer *writer, struct hf_err *err)
{
    if (writer->content_n > DEFLATE_STORED_MAX)
        return hf_err_set(err, EBADMSG, "a stored deflate block of %llu bytes is too long",
                          (unsigned long long)writer->content_n);
    unsigned n = (unsigned)writer->content_n;
    int r = align(writer, err);
    if (r == 0)
        r = put(writer, n | (uint64_t)(~n & 0xffff) << 16, 32, err);
    return r == 0 ? put_bytes(writer, writer->content, n, err) : r;
}

static int put_head(struct deflate_writer *writer, const struct deflate_head *head, struct hf_err *err)
{
    int r = put_bytes(writer, head->bytes, head->bits / 8, err);

    if (r == 0 && head->bits % 8 != 0)
        r = put(writer, head->bytes[head->bits / 8] & ((1u << head->bits % 8) - 1), head->bits % 8, err);
    return r;
}

void deflate_writer_drop(struct deflate_writer *writer)
{
    memset(writer->literal, 0, sizeof(writer->literal));
    memset(writer->distance, 0, sizeof(writer->distance));
    writer->symbols_n = writer->tokens_n = writer->matches_n = 0;
    writer->content_n = 0;
    writer->frozen = false;
}

void deflate_writer_freeze(struct deflate_writer *writer)
{
    if (writer->frozen)
        return;
    writer->frozen = true;
    memcpy(writer->first_literal, writer->literal, sizeof(writer->literal));
    memcpy(writer->first_distance, writer->distance, sizeof(writer->distance));
}

enum deflate_kind deflate_writer_compare(struct deflate_writer *writer, const struct deflate_block *block)
{
    return writer->frozen
               ? deflate_block_kind(DEFLATE_CODING_ALL, block, writer->first_literal, writer->first_distance,
                                    writer->content_n)
               : deflate_block_kind(writer->coding, block, writer->literal, writer->distance, writer->content_n);
}

static void predict_codes(struct deflate_writer *writer, struct deflate_prediction *ret_prediction)
{
    uint32_t *literal = writer->frozen ? writer->first_literal : writer->literal;

    literal[256]++;
    deflate_predict(writer->frozen ? DEFLATE_CODING_ALL : writer->coding, literal,
                    writer->frozen ? writer->first_distance : writer->distance, ret_prediction);
}

int deflate_writer_end(struct deflate_writer *writer, enum deflate_kind kind, const struct deflate_head *head,
                       bool last, struct hf_err *err)
{
    struct deflate_prediction prediction;
    struct deflate_codes codes;
    int r;

    if (kind == DEFLATE_AUTO || kind == DEFLATE_DYNAMIC) {
        predict_codes(writer, &prediction);
        if (kind == DEFLATE_AUTO)
            kind = deflate_predict_kind(writer->coding, &prediction, writer->content_n,
                                        writer->content_n <= DEFLATE_STORED_MAX);
        codes = prediction.codes;
        head = &prediction.head;
    }
    if (kind == DEFLATE_FIXED)
        deflate_fixed_codes(&codes);
    if (kind == DEFLATE_GIVEN && (r = deflate_head_read(head, &codes, err)) < 0)
        return r;
    unsigned type = kind == DEFLATE_STORED ? 0 : kind == DEFLATE_FIXED ? 1 : 2;
    r = put(writer, (last ? 1u : 0u) | type << 1, 3, err);
    if (r == 0 && type == 0)
        r = put_stored(writer, err);
    if (r == 0 && type == 2)
        r = put_head(writer, head, err);
    if (r == 0 && type != 0)
        r = put_tokens(writer, &codes, err);
    deflate_writer_drop(writer);
    writer->ended = last;
    return r;
}

/* ---- tokens in --------------------------------------------------------------------------------------------------- */

int deflate_writer_init(struct deflate_writer *writer, const struct pack_sink *out, struct hf_err *err)
{
    memset(writer, 0, sizeof(*writer));
    writer->out = *out;
    writer->content = malloc(DEFLATE_STORED_MAX);
    return writer->content != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

void deflate_writer_done(struct deflate_writer *writer)
{
    free(writer->symbols);
    free(writer->content);
    writer->symbols = NULL;
    writer->content = NULL;
}

static int add_symbol(struct deflate_writer *writer, unsigned number, struct hf_err *err)
{
    void *symbols = writer->symbols;
    int r = 0;

    if (writer->symbols_n == writer->symbols_cap)
        r = deflate_grow(&symbols, sizeof(*writer->symbols), &writer->symbols_cap, 2 * DEFLATE_TOKENS_MAX, err);
    writer->symbols = symbols;
    if (r == 0)
        writer->symbols[writer->symbols_n++] = (uint16_t)number;
    return r;
}

int deflate_writer_token(struct deflate_writer *writer, uint32_t token, const unsigned char *content,
                         struct hf_err *err)
{
    unsigned n = deflate_length(token);
    int r = add_symbol(writer, token < 256 ? token : IS_MATCH + n, err);

    if (r == 0 && token >= 256)
        r = add_symbol(writer, token & 0xffff, err);
    if (r < 0)
        return r;
    writer->tokens_n++;
    if (token < 256) {
        writer->literal[token]++;
    } else {
        writer->literal[deflate_length_symbol(n).symbol]++;
        writer->distance[deflate_distance_symbol(token & 0xffff).symbol]++;
        writer->matches_n++;
    }
    if (content != NULL && writer->content_n + n <= DEFLATE_STORED_MAX)
        memcpy(writer->content + writer->content_n, content, n);
    writer->content_n += n;
    return 0;
}

int deflate_writer_finish(struct deflate_writer *writer, const void *tail, size_t tail_n, struct hf_err *err)
{
    int r = align(writer, err);

    if (r == 0)
        r = put_bytes(writer, tail, tail_n, err);
    return r == 0 ? push(writer, err) : r;
}
