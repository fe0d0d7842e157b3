/* Deflate into its tokens form, in memory that does not depend on the stream's length. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"

struct taking {
    struct deflate_taking stream;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint32_t rule; /* blocks of so many tokens end by themselves */
    bool started;
    bool implied;    /* the block before ended by the rule, and nothing was told since */
    size_t window_n; /* content before the group */
    size_t content_n, words_n;
    unsigned literals; /* waiting for a match or the end of a group */
    unsigned char content[DEFLATE_WINDOW + TOKENS_CONTENT_MAX];
    unsigned char words[4 * TOKENS_WORDS_MAX];
};

static int add_word(struct taking *taking, uint32_t word, struct hf_err *err)
{
    if (taking->words_n == TOKENS_WORDS_MAX)
        return hf_err_set(err, E2BIG, "deflate stream: too many blocks without content");
    hf_put_le32(taking->words + 4 * taking->words_n++, word);
    return 0;
}

static int add_literals(struct taking *taking, struct hf_err *err)
{
    int r = taking->literals > 0 ? add_word(taking, taking->literals | (uint32_t)TOKENS_NO_MATCH << 16, err) : 0;

    taking->literals = 0;
    return r;
}

static int end_group(struct taking *taking, struct hf_err *err)
{
    unsigned char *content = taking->content;
    unsigned char head[4];
    size_t all = taking->window_n + taking->content_n, keep = HF_MIN(all, (size_t)DEFLATE_WINDOW);
    int r = add_literals(taking, err);

    hf_put_le32(head, (uint32_t)taking->words_n);
    if (r == 0)
        r = taking->stream.out->write(taking->stream.out->ctx, head, 4, err);
    if (r == 0)
        r = taking->stream.out->write(taking->stream.out->ctx, taking->words, 4 * taking->words_n, err);
    if (r == 0 && taking->content_n > 0)
        r = taking->stream.out->write(taking->stream.out->ctx, content + taking->window_n, taking->content_n, err);
    memmove(content, content + all - keep, keep);
    taking->window_n = keep;
    taking->content_n = taking->words_n = 0;
    return r;
}

static int add_content(struct taking *taking, uint32_t token, struct hf_err *err)
{
    unsigned char *at = taking->content + taking->window_n + taking->content_n;
    unsigned n = deflate_length(token), distance = token & 0xffff;

    if (token < 256) {
        *at = (unsigned char)token;
    } else {
        if (distance > taking->window_n + taking->content_n)
            return hf_err_set(err, EBADMSG, "deflate stream: a distance beyond its beginning");
        for (unsigned i = 0; i < n; i++)
            at[i] = at[(ptrdiff_t)i - (ptrdiff_t)distance];
    }
    taking->stream.crc = pack_crc32(taking->stream.crc, at, n);
    taking->stream.length += n;
    taking->content_n += n;
    return 0;
}

static bool at_border(const struct taking *taking)
{
    if (taking->content_n < TOKENS_GROUP_MIN)
        return false;
    if (taking->content_n >= TOKENS_GROUP_MAX)
        return true;
    return tokens_is_border(hf_le64(taking->content + taking->window_n + taking->content_n - 8));
}

static int add_token(struct taking *taking, uint32_t token, struct hf_err *err)
{
    unsigned n = deflate_length(token);
    int r = add_content(taking, token, err);

    if (r < 0)
        return r;
    if (token < 256) {
        taking->literal[token]++;
        if (++taking->literals == 255)
            r = add_literals(taking, err);
    } else {
        taking->literal[deflate_length_symbol(n).symbol]++;
        taking->distance[deflate_distance_symbol(token & 0xffff).symbol]++;
        r = add_word(taking, taking->literals | (n - 3) << 8 | ((token & 0xffff) - 1) << 16, err);
        taking->literals = 0;
    }
    return r == 0 && at_border(taking) ? end_group(taking, err) : r;
}

static int add_end(struct taking *taking, enum deflate_kind kind, bool last, struct hf_err *err)
{
    const struct deflate_head *head = &taking->stream.block.head;
    int r = add_literals(taking, err);

    if (r == 0)
        r = add_word(taking, (uint32_t)kind << 8 | (last ? 1u << 11 : 0) | (uint32_t)TOKENS_END << 16, err);
    if (r < 0 || kind != DEFLATE_GIVEN)
        return r;
    r = add_word(taking, head->bits, err);
    for (unsigned i = 0; r == 0 && i < (head->bits + 31) / 32; i++)
        r = add_word(taking, hf_le32(head->bytes + (size_t)4 * i), err);
    return r;
}

/* What the block is beside what is predicted for it. */
static int end_block(struct taking *taking, uint64_t content_n, struct hf_err *err)
{
    const struct deflate_block *block = &taking->stream.block;
    enum deflate_kind kind =
        deflate_block_kind(DEFLATE_CODING_GZIP, block, taking->literal, taking->distance, content_n);

    memset(taking->literal, 0, sizeof(taking->literal));
    memset(taking->distance, 0, sizeof(taking->distance));
    if (kind == DEFLATE_AUTO && block->n > 0 && block->n == taking->rule && !block->last) {
        taking->implied = true;
        return 0;
    }
    /* The end of an empty block would be taken for that of the block before: so that one is told, too. */
    int r = block->n == 0 && taking->implied ? add_end(taking, DEFLATE_AUTO, false, err) : 0;
    taking->implied = false;
    return r == 0 ? add_end(taking, kind, block->last, err) : r;
}

static int begin(struct taking *taking, struct hf_err *err)
{
    unsigned char rule[4];

    taking->started = true;
    taking->rule = taking->stream.block.last ? 0 : taking->stream.block.n;
    hf_put_le32(rule, taking->rule);
    return taking->stream.out->write(taking->stream.out->ctx, rule, 4, err);
}

static int take_block(struct deflate_taking *stream, struct hf_err *err)
{
    struct taking *taking = hf_container_of(stream, struct taking, stream);
    uint64_t content_n = 0;
    int r = taking->started ? 0 : begin(taking, err);

    for (uint32_t i = 0; r == 0 && i < stream->block.n; i++) {
        content_n += deflate_length(stream->block.tokens[i]);
        if (i == taking->rule && i > 0 && (r = add_literals(taking, err)) == 0)
            r = add_word(taking, (uint32_t)TOKENS_GO_ON << 16, err);
        if (r == 0)
            r = add_token(taking, stream->block.tokens[i], err);
    }
    return r == 0 ? end_block(taking, content_n, err) : r;
}

static int end_last_group(struct deflate_taking *stream, struct hf_err *err)
{
    return end_group(hf_container_of(stream, struct taking, stream), err);
}

int pack_tokens_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct taking *taking = calloc(1, sizeof(*taking));

    if (taking == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    taking->stream.memory = sizeof(*taking);
    taking->stream.take_block = take_block;
    taking->stream.end = end_last_group;
    int r = deflate_take(decode, &taking->stream, ret_n, err);
    free(taking);
    return r;
}
