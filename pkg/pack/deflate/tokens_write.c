/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes the tokens form to deflate: a push parser that holds the words of one group and the tokens of one block. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"

enum tokens_state { AT_RULE, AT_COUNT, AT_WORDS, AT_CONTENT, AT_NOTHING };

struct tokens_encoder {
    struct deflate_writer writer;
    bool gzip_tail;
    enum tokens_state state;
    uint32_t rule;
    bool full;         /* the block has `rule` tokens: it ends before the next one, unless a word says otherwise */
    unsigned number_n; /* bytes of `number` so far */
    uint32_t number;
    size_t words_n, words_at, word_bytes;
    unsigned char *words; /* grows to the size of the largest group */
    size_t words_cap;
    unsigned literals;        /* literals of the current word that are still to come */
    unsigned match, match_at; /* length of the current match; bytes of it so far */
    uint32_t token;
    unsigned char match_bytes[258];
    uint32_t crc, length;
};

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "deflate tokens: %s", what);
}

static uint32_t word_at(const struct tokens_encoder *encoder, size_t i)
{
    return hf_le32(encoder->words + 4 * i);
}

static int add(struct tokens_encoder *encoder, uint32_t token, const unsigned char *content, struct hf_err *err)
{
    int r = 0;

    if (encoder->writer.ended)
        return damaged(err, "content after the last block");
    if (encoder->full)
        r = deflate_writer_end(&encoder->writer, DEFLATE_AUTO, NULL, false, err);
    encoder->full = false;
    if (r == 0)
        r = deflate_writer_token(&encoder->writer, token, content, err);
    encoder->full = encoder->rule != 0 && encoder->writer.tokens_n == encoder->rule;
    return r;
}

static int end_block(struct tokens_encoder *encoder, uint32_t word, struct hf_err *err)
{
    enum deflate_kind kind = word >> 8 & 7;
    struct deflate_head head = {.bits = 0};

    if (encoder->writer.ended || kind > DEFLATE_AUTO || (word & 0xf0ff) != 0)
        return damaged(err, "invalid end of block");
    encoder->full = false;
    if (kind == DEFLATE_GIVEN) {
        if (encoder->words_at == encoder->words_n)
            return damaged(err, "a description of codes is incomplete");
        head.bits = word_at(encoder, encoder->words_at++);
        size_t n = (head.bits + 31) / 32;
        if (head.bits > 8 * DEFLATE_HEAD_BYTES || n > encoder->words_n - encoder->words_at)
            return damaged(err, "a description of codes is too long");
        memcpy(head.bytes, encoder->words + 4 * encoder->words_at, 4 * n);
        encoder->words_at += n;
    }
    return deflate_writer_end(&encoder->writer, kind, &head, (word >> 11 & 1) != 0, err);
}

/* Processes words until one needs content. Without more words the state becomes AT_COUNT, or AT_NOTHING after the
 * last block. */
static int next_words(struct tokens_encoder *encoder, struct hf_err *err)
{
    while (encoder->literals == 0 && encoder->match == 0) {
        if (encoder->words_at == encoder->words_n) {
            encoder->state = encoder->writer.ended ? AT_NOTHING : AT_COUNT;
            return 0;
        }
        uint32_t word = word_at(encoder, encoder->words_at++);
        unsigned far = word >> 16;
        if (far == TOKENS_CONTINUE && (word & 0xffff) == 0) {
            encoder->full = false;
            continue;
        }
        if (far == TOKENS_END) {
            int r = end_block(encoder, word, err);
            if (r < 0)
                return r;
            continue;
        }
        if (far == TOKENS_NO_MATCH ? word >> 8 != TOKENS_NO_MATCH << 8 || (word & 0xff) == 0 : far >= DEFLATE_WINDOW)
            return damaged(err, "unknown word");
        encoder->literals = word & 0xff;
        encoder->match = far == TOKENS_NO_MATCH ? 0 : (word >> 8 & 0xff) + 3;
        encoder->match_at = 0;
        encoder->token = deflate_match(encoder->match, far + 1);
    }
    return 0;
}

static int take_content(struct tokens_encoder *encoder, const unsigned char **p, const unsigned char *end,
                        struct hf_err *err)
{
    int r = 0;

    while (r == 0 && *p < end && encoder->state == AT_CONTENT) {
        if (encoder->literals > 0) {
            r = add(encoder, **p, *p, err);
            (*p)++;
            encoder->literals--;
        } else {
            unsigned n = (unsigned)HF_MIN((size_t)(end - *p), (size_t)(encoder->match - encoder->match_at));
            memcpy(encoder->match_bytes + encoder->match_at, *p, n);
            *p += n;
            encoder->match_at += n;
            if (encoder->match_at == encoder->match) {
                r = add(encoder, encoder->token, encoder->match_bytes, err);
                encoder->match = 0;
            }
        }
        if (r == 0)
            r = next_words(encoder, err);
    }
    return r;
}

static int start_group(struct tokens_encoder *encoder, struct hf_err *err)
{
    encoder->words_n = encoder->number;
    encoder->words_at = encoder->word_bytes = 0;
    if (encoder->words_n == 0 || encoder->words_n > TOKENS_WORDS_MAX)
        return damaged(err, "invalid size of a group");
    if (encoder->words_n > encoder->words_cap) {
        unsigned char *words = realloc(encoder->words, 4 * encoder->words_n);
        if (words == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        encoder->words = words;
        encoder->words_cap = encoder->words_n;
    }
    encoder->state = AT_WORDS;
    return 0;
}

static int take_number(struct tokens_encoder *encoder, unsigned char byte, struct hf_err *err)
{
    encoder->number |= (uint32_t)byte << 8 * encoder->number_n++;
    if (encoder->number_n < 4)
        return 0;
    int r = 0;
    if (encoder->state == AT_RULE) {
        encoder->rule = encoder->number;
        encoder->state = AT_COUNT;
    } else {
        r = start_group(encoder, err);
    }
    encoder->number = encoder->number_n = 0;
    return r;
}

static int take_words(struct tokens_encoder *encoder, const unsigned char **p, const unsigned char *end,
                      struct hf_err *err)
{
    size_t n = HF_MIN((size_t)(end - *p), 4 * encoder->words_n - encoder->word_bytes);

    memcpy(encoder->words + encoder->word_bytes, *p, n);
    *p += n;
    encoder->word_bytes += n;
    if (encoder->word_bytes < 4 * encoder->words_n)
        return 0;
    encoder->state = AT_CONTENT;
    return next_words(encoder, err);
}

static int tokens_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct tokens_encoder *encoder = state;
    const unsigned char *p = bytes, *end = bytes + n;
    int r = 0;

    while (r == 0 && p < end) {
        const unsigned char *start = p;
        switch (encoder->state) {
        case AT_RULE:
        case AT_COUNT:
            r = take_number(encoder, *p++, err);
            break;
        case AT_WORDS:
            r = take_words(encoder, &p, end, err);
            break;
        case AT_CONTENT:
            r = take_content(encoder, &p, end, err);
            encoder->crc = pack_crc32(encoder->crc, start, (size_t)(p - start));
            encoder->length += (uint32_t)(p - start);
            break;
        default:
            return damaged(err, "bytes after the last block");
        }
    }
    return r;
}

static int tokens_finish(void *state, struct hf_err *err)
{
    struct tokens_encoder *encoder = state;
    unsigned char tail[8];

    if (encoder->state != AT_NOTHING)
        return damaged(err, "the stream is incomplete");
    hf_put_le32(tail, encoder->crc);
    hf_put_le32(tail + 4, encoder->length);
    return deflate_writer_finish(&encoder->writer, tail, encoder->gzip_tail ? 8 : 0, err);
}

static void tokens_done(void *state)
{
    struct tokens_encoder *encoder = state;

    deflate_writer_done(&encoder->writer);
    free(encoder->words);
    free(encoder);
}

static int tokens_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state,
                       struct hf_err *err)
{
    struct tokens_encoder *encoder;
    int r;

    if (setup->params_n != 0)
        return damaged(err, "unexpected parameters");
    encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    encoder->gzip_tail = setup->gzip_tail;
    r = deflate_writer_init(&encoder->writer, out, err);
    if (r < 0) {
        tokens_done(encoder);
        return r;
    }
    *ret_state = encoder;
    return 0;
}

static uint64_t tokens_memory(HF_UNUSED const struct pack_setup *setup)
{
    return sizeof(struct tokens_encoder) + DEFLATE_STORED_MAX + 4 * (uint64_t)TOKENS_WORDS_MAX +
           2 * 4 * (uint64_t)DEFLATE_TOKENS_MAX;
}

const struct pack_codec_ops pack_tokens_ops = {
    .make = tokens_make,
    .feed = tokens_feed,
    .finish = tokens_finish,
    .done = tokens_done,
    .memory = tokens_memory,
    .decode = pack_tokens_decode,
};
