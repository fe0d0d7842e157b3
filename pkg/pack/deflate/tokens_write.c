/* From the tokens form back to deflate: a push parser that holds one group's words and one block's tokens. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"

enum state { AT_RULE, AT_COUNT, AT_WORDS, AT_CONTENT, AT_NOTHING };

struct making {
    struct deflate_writer writer;
    bool gzip_tail;
    enum state state;
    uint32_t rule;
    bool full;         /* the block has as many tokens as the rule says: it ends, unless an end is told */
    unsigned number_n; /* bytes of a number gathered */
    uint32_t number;
    size_t words_n, words_at, word_bytes;
    unsigned char *words; /* grown to what the group needs */
    size_t words_cap;
    unsigned literals;        /* still to come of the current word */
    unsigned match, match_at; /* its length, bytes of it gathered */
    uint32_t token;
    unsigned char match_bytes[258];
    uint32_t crc, length;
};

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "deflate tokens: %s", what);
}

static uint32_t word_at(const struct making *making, size_t i)
{
    return hf_le32(making->words + 4 * i);
}

static int add(struct making *making, uint32_t token, const unsigned char *content, struct hf_err *err)
{
    int r = 0;

    if (making->writer.ended)
        return damaged(err, "content after the last block");
    if (making->full)
        r = deflate_writer_end(&making->writer, DEFLATE_AUTO, NULL, false, err);
    making->full = false;
    if (r == 0)
        r = deflate_writer_token(&making->writer, token, content, err);
    making->full = making->rule != 0 && making->writer.tokens_n == making->rule;
    return r;
}

static int end_block(struct making *making, uint32_t word, struct hf_err *err)
{
    enum deflate_kind kind = word >> 8 & 7;
    struct deflate_head head = {.bits = 0};

    if (making->writer.ended || kind > DEFLATE_AUTO || (word & 0xf0ff) != 0)
        return damaged(err, "an end of block that cannot be");
    making->full = false;
    if (kind == DEFLATE_GIVEN) {
        if (making->words_at == making->words_n)
            return damaged(err, "a description that is cut off");
        head.bits = word_at(making, making->words_at++);
        size_t n = (head.bits + 31) / 32;
        if (head.bits > 8 * DEFLATE_HEAD_BYTES || n > making->words_n - making->words_at)
            return damaged(err, "a description that is too long");
        memcpy(head.bytes, making->words + 4 * making->words_at, 4 * n);
        making->words_at += n;
    }
    return deflate_writer_end(&making->writer, kind, &head, (word >> 11 & 1) != 0, err);
}

/* Words up to one that needs content; AT_COUNT when there is none left. */
static int next_words(struct making *making, struct hf_err *err)
{
    while (making->literals == 0 && making->match == 0) {
        if (making->words_at == making->words_n) {
            making->state = making->writer.ended ? AT_NOTHING : AT_COUNT;
            return 0;
        }
        uint32_t word = word_at(making, making->words_at++);
        unsigned far = word >> 16;
        if (far == TOKENS_GO_ON && (word & 0xffff) == 0) {
            making->full = false;
            continue;
        }
        if (far == TOKENS_END) {
            int r = end_block(making, word, err);
            if (r < 0)
                return r;
            continue;
        }
        if (far == TOKENS_NO_MATCH ? word >> 8 != TOKENS_NO_MATCH << 8 || (word & 0xff) == 0 : far >= DEFLATE_WINDOW)
            return damaged(err, "a word of no known kind");
        making->literals = word & 0xff;
        making->match = far == TOKENS_NO_MATCH ? 0 : (word >> 8 & 0xff) + 3;
        making->match_at = 0;
        making->token = deflate_match(making->match, far + 1);
    }
    return 0;
}

static int take_content(struct making *making, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && *p < end && making->state == AT_CONTENT) {
        if (making->literals > 0) {
            r = add(making, **p, *p, err);
            (*p)++;
            making->literals--;
        } else {
            unsigned n = (unsigned)HF_MIN((size_t)(end - *p), (size_t)(making->match - making->match_at));
            memcpy(making->match_bytes + making->match_at, *p, n);
            *p += n;
            making->match_at += n;
            if (making->match_at == making->match) {
                r = add(making, making->token, making->match_bytes, err);
                making->match = 0;
            }
        }
        if (r == 0)
            r = next_words(making, err);
    }
    return r;
}

static int start_group(struct making *making, struct hf_err *err)
{
    making->words_n = making->number;
    making->words_at = making->word_bytes = 0;
    if (making->words_n == 0 || making->words_n > TOKENS_WORDS_MAX)
        return damaged(err, "a group of a size that cannot be");
    if (making->words_n > making->words_cap) {
        unsigned char *words = realloc(making->words, 4 * making->words_n);
        if (words == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        making->words = words;
        making->words_cap = making->words_n;
    }
    making->state = AT_WORDS;
    return 0;
}

static int take_number(struct making *making, unsigned char byte, struct hf_err *err)
{
    making->number |= (uint32_t)byte << 8 * making->number_n++;
    if (making->number_n < 4)
        return 0;
    int r = 0;
    if (making->state == AT_RULE) {
        making->rule = making->number;
        making->state = AT_COUNT;
    } else {
        r = start_group(making, err);
    }
    making->number = making->number_n = 0;
    return r;
}

static int take_words(struct making *making, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    size_t n = HF_MIN((size_t)(end - *p), 4 * making->words_n - making->word_bytes);

    memcpy(making->words + making->word_bytes, *p, n);
    *p += n;
    making->word_bytes += n;
    if (making->word_bytes < 4 * making->words_n)
        return 0;
    making->state = AT_CONTENT;
    return next_words(making, err);
}

static int tokens_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct making *making = state;
    const unsigned char *p = bytes, *end = bytes + n;
    int r = 0;

    while (r == 0 && p < end) {
        const unsigned char *start = p;
        switch (making->state) {
        case AT_RULE:
        case AT_COUNT:
            r = take_number(making, *p++, err);
            break;
        case AT_WORDS:
            r = take_words(making, &p, end, err);
            break;
        case AT_CONTENT:
            r = take_content(making, &p, end, err);
            making->crc = pack_crc32(making->crc, start, (size_t)(p - start));
            making->length += (uint32_t)(p - start);
            break;
        default:
            return damaged(err, "bytes after the last block");
        }
    }
    return r;
}

static int tokens_finish(void *state, struct hf_err *err)
{
    struct making *making = state;
    unsigned char tail[8];

    if (making->state != AT_NOTHING)
        return damaged(err, "they are cut off");
    hf_put_le32(tail, making->crc);
    hf_put_le32(tail + 4, making->length);
    return deflate_writer_finish(&making->writer, tail, making->gzip_tail ? 8 : 0, err);
}

static void tokens_done(void *state)
{
    struct making *making = state;

    deflate_writer_done(&making->writer);
    free(making->words);
    free(making);
}

static int tokens_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state,
                       struct hf_err *err)
{
    struct making *making;
    int r;

    if (setup->params_n != 0)
        return damaged(err, "parameters where there are none");
    making = calloc(1, sizeof(*making));
    if (making == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    making->gzip_tail = setup->gzip_tail;
    r = deflate_writer_init(&making->writer, out, err);
    if (r < 0) {
        tokens_done(making);
        return r;
    }
    *ret_state = making;
    return 0;
}

static uint64_t tokens_memory(const struct pack_setup *setup)
{
    (void)setup;
    return sizeof(struct making) + DEFLATE_STORED_MAX + 4 * (uint64_t)TOKENS_WORDS_MAX +
           2 * 4 * (uint64_t)DEFLATE_TOKENS_MAX;
}

const struct pack_encoder_ops pack_tokens_ops = {
    .make = tokens_make,
    .feed = tokens_feed,
    .finish = tokens_finish,
    .done = tokens_done,
    .memory = tokens_memory,
    .decode = pack_tokens_decode,
};
