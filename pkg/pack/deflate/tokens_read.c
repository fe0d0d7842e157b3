/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes deflate to the tokens form. Memory does not depend on the length of the stream. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"

struct tokens_decoder {
    struct deflate_stream stream;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint32_t rule; /* a block of this many tokens ends without a word */
    bool started;
    bool implied;    /* the last block ended by the rule, and no word has followed */
    size_t window_n; /* bytes of content before the group */
    size_t content_n, words_n;
    unsigned literals; /* literals that the next word will count */
    unsigned char content[DEFLATE_WINDOW + TOKENS_CONTENT_MAX];
    unsigned char words[4 * TOKENS_WORDS_MAX];
};

static int add_word(struct tokens_decoder *decoder, uint32_t word, struct hf_err *err)
{
    if (decoder->words_n == TOKENS_WORDS_MAX)
        return hf_err_set(err, E2BIG, "deflate stream: too many blocks without content");
    hf_put_le32(decoder->words + 4 * decoder->words_n++, word);
    return 0;
}

static int add_literals(struct tokens_decoder *decoder, struct hf_err *err)
{
    int r = decoder->literals > 0 ? add_word(decoder, decoder->literals | (uint32_t)TOKENS_NO_MATCH << 16, err) : 0;

    decoder->literals = 0;
    return r;
}

static int end_group(struct tokens_decoder *decoder, struct hf_err *err)
{
    unsigned char *content = decoder->content;
    unsigned char head[4];
    size_t all = decoder->window_n + decoder->content_n, keep = HF_MIN(all, (size_t)DEFLATE_WINDOW);
    int r = add_literals(decoder, err);

    hf_put_le32(head, (uint32_t)decoder->words_n);
    if (r == 0)
        r = decoder->stream.out->write(decoder->stream.out->ctx, head, 4, err);
    if (r == 0)
        r = decoder->stream.out->write(decoder->stream.out->ctx, decoder->words, 4 * decoder->words_n, err);
    if (r == 0 && decoder->content_n > 0)
        r = decoder->stream.out->write(decoder->stream.out->ctx, content + decoder->window_n, decoder->content_n, err);
    memmove(content, content + all - keep, keep);
    decoder->window_n = keep;
    decoder->content_n = decoder->words_n = 0;
    return r;
}

static int add_content(struct tokens_decoder *decoder, uint32_t token, struct hf_err *err)
{
    unsigned char *at = decoder->content + decoder->window_n + decoder->content_n;
    unsigned n = deflate_length(token), distance = token & 0xffff;

    if (token < 256) {
        *at = (unsigned char)token;
    } else {
        if (distance > decoder->window_n + decoder->content_n)
            return hf_err_set(err, EBADMSG, "deflate stream: a distance reaches before its start");
        for (unsigned i = 0; i < n; i++)
            at[i] = at[(ptrdiff_t)i - (ptrdiff_t)distance];
    }
    decoder->stream.crc = pack_crc32(decoder->stream.crc, at, n);
    decoder->stream.length += n;
    decoder->content_n += n;
    return 0;
}

static bool at_border(const struct tokens_decoder *decoder)
{
    if (decoder->content_n < TOKENS_GROUP_MIN)
        return false;
    if (decoder->content_n >= TOKENS_GROUP_MAX)
        return true;
    return tokens_is_border(hf_le64(decoder->content + decoder->window_n + decoder->content_n - 8));
}

static int add_token(struct tokens_decoder *decoder, uint32_t token, struct hf_err *err)
{
    unsigned n = deflate_length(token);
    int r = add_content(decoder, token, err);

    if (r < 0)
        return r;
    if (token < 256) {
        decoder->literal[token]++;
        if (++decoder->literals == 255)
            r = add_literals(decoder, err);
    } else {
        decoder->literal[deflate_length_symbol(n).symbol]++;
        decoder->distance[deflate_distance_symbol(token & 0xffff).symbol]++;
        r = add_word(decoder, decoder->literals | (n - 3) << 8 | ((token & 0xffff) - 1) << 16, err);
        decoder->literals = 0;
    }
    return r == 0 && at_border(decoder) ? end_group(decoder, err) : r;
}

static int add_end(struct tokens_decoder *decoder, enum deflate_kind kind, bool last, struct hf_err *err)
{
    const struct deflate_head *head = &decoder->stream.block.head;
    int r = add_literals(decoder, err);

    if (r == 0)
        r = add_word(decoder, (uint32_t)kind << 8 | (last ? 1u << 11 : 0) | (uint32_t)TOKENS_END << 16, err);
    if (r < 0 || kind != DEFLATE_GIVEN)
        return r;
    r = add_word(decoder, head->bits, err);
    for (unsigned i = 0; r == 0 && i < (head->bits + 31) / 32; i++)
        r = add_word(decoder, hf_le32(head->bytes + (size_t)4 * i), err);
    return r;
}

/* Records how the block ended, unless the rule and the prediction imply it. */
static int end_block(struct tokens_decoder *decoder, uint64_t content_n, struct hf_err *err)
{
    const struct deflate_block *block = &decoder->stream.block;
    enum deflate_kind kind =
        deflate_block_kind(DEFLATE_CODING_GZIP, block, decoder->literal, decoder->distance, content_n);

    memset(decoder->literal, 0, sizeof(decoder->literal));
    memset(decoder->distance, 0, sizeof(decoder->distance));
    if (kind == DEFLATE_AUTO && block->n > 0 && block->n == decoder->rule && !block->last) {
        decoder->implied = true;
        return 0;
    }
    /* The encoder would take the end of an empty block for the end of the block before it, so record that one, too. */
    int r = block->n == 0 && decoder->implied ? add_end(decoder, DEFLATE_AUTO, false, err) : 0;
    decoder->implied = false;
    return r == 0 ? add_end(decoder, kind, block->last, err) : r;
}

static int begin(struct tokens_decoder *decoder, struct hf_err *err)
{
    unsigned char rule[4];

    decoder->started = true;
    decoder->rule = decoder->stream.block.last ? 0 : decoder->stream.block.n;
    hf_put_le32(rule, decoder->rule);
    return decoder->stream.out->write(decoder->stream.out->ctx, rule, 4, err);
}

static int take_block(struct deflate_stream *stream, struct hf_err *err)
{
    struct tokens_decoder *decoder = hf_container_of(stream, struct tokens_decoder, stream);
    uint64_t content_n = 0;
    int r = decoder->started ? 0 : begin(decoder, err);

    for (uint32_t i = 0; r == 0 && i < stream->block.n; i++) {
        content_n += deflate_length(stream->block.tokens[i]);
        if (i == decoder->rule && i > 0 && (r = add_literals(decoder, err)) == 0)
            r = add_word(decoder, (uint32_t)TOKENS_CONTINUE << 16, err);
        if (r == 0)
            r = add_token(decoder, stream->block.tokens[i], err);
    }
    return r == 0 ? end_block(decoder, content_n, err) : r;
}

static int end_last_group(struct deflate_stream *stream, struct hf_err *err)
{
    return end_group(hf_container_of(stream, struct tokens_decoder, stream), err);
}

int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct tokens_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    decoder->stream.memory = sizeof(*decoder);
    decoder->stream.take_block = take_block;
    decoder->stream.end = end_last_group;
    int r = deflate_stream_decode(decode, &decoder->stream, ret_n, err);
    free(decoder);
    return r;
}
