/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the flavour and level of the encoder that made a deflate stream, and lists where the stream differs from their
 * prediction. */
#include <errno.h>

#include "base/buf.h"
#include "base/macros.h"
#include "delta/io/wire.h"
#include "pack/codec/stage.h"
#include "pack/deflate/deflate_find.h"
#include "pack/deflate/deflate_match.h"

/* A trial reads TRIAL_TOKENS, and continues, up to a limit, until TRIAL_TELLING of them are not plain literals: every
 * encoder leaves noise as it is. */
enum { MARKS_MAX = 1 << 18, TRIAL_TOKENS = 12000, TRIAL_TELLING = 4000, TRIAL_TOKENS_MAX = 32 * TRIAL_TOKENS };

/* One comparison of a stream with the prediction of one flavour and level. */
struct learning {
    const struct pack_search *search;
    struct deflate_reader reader;
    struct deflate_block block;
    struct deflate_matcher matcher;
    struct deflate_writer writer; /* only counts; writes nothing */
    unsigned level;
    bool full;              /* the prediction ends the block here */
    bool implied;           /* the last block ended without a mark */
    size_t at;              /* bytes of content that the matcher has */
    uint64_t index, marked; /* number of tokens so far; up to the last mark */
    uint64_t misses, misses_max;
    bool trial;
    uint64_t telling; /* tokens that are a match or that the prediction expects to be one */
    struct hf_buf marks;
};

static int add_mark(struct learning *learning, uint64_t value, struct hf_err *err)
{
    unsigned char bytes[20];
    size_t n = delta_put_varint(bytes, learning->index - learning->marked);

    n += delta_put_varint(bytes + n, value);
    learning->marked = learning->index;
    learning->misses++;
    if (hf_buf_add(&learning->marks, bytes, n) < 0)
        return hf_err_set(err, ENOENT, "too many exceptions to the prediction");
    return 0;
}

static int add_head(struct learning *learning, const struct deflate_head *head, struct hf_err *err)
{
    unsigned char bytes[10];
    size_t n = delta_put_varint(bytes, head->bits);

    if (hf_buf_add(&learning->marks, bytes, n) < 0 ||
        hf_buf_add(&learning->marks, head->bytes, (head->bits + 7) / 8) < 0)
        return hf_err_set(err, ENOENT, "too many exceptions to the prediction");
    return 0;
}

static void fill(struct learning *learning)
{
    const struct pack_search *search = learning->search;

    while (!deflate_matcher_ready(&learning->matcher) && !learning->matcher.eof) {
        learning->at +=
            deflate_matcher_fill(&learning->matcher, search->plain + learning->at, search->plain_n - learning->at);
        learning->matcher.eof = learning->at == search->plain_n;
    }
}

/* `stored`: bytes that remain of a stored block, which has no tokens of its own: take the predicted one. 0: `token`
 * is the token. Returns the number of bytes it stands for. */
static int learn_token(struct learning *learning, uint32_t token, uint32_t stored, struct hf_err *err)
{
    int r = 0;

    if (learning->full)
        return hf_err_set(err, ENOENT, "a block continues where the encoder would end it");
    fill(learning);
    if (!deflate_matcher_ready(&learning->matcher))
        return hf_err_set(err, ENOENT, "the stream has more tokens than content");
    uint32_t predicted = deflate_matcher_predict(&learning->matcher);
    if (stored > 0 && deflate_length(predicted) <= stored)
        token = predicted;
    if (token >= 256 && deflate_length(token) > learning->matcher.end - learning->matcher.at)
        return hf_err_set(err, ENOENT, "a match reaches beyond the window");
    learning->telling += stored == 0 && (predicted >= 256 || token >= 256);
    if (predicted != token)
        r = add_mark(learning, (uint64_t)token * 2, err);
    if (r == 0)
        r = deflate_writer_token(&learning->writer, token, NULL, err);
    deflate_matcher_accept(&learning->matcher, token);
    deflate_flavour_note(&learning->matcher, &learning->writer);
    learning->full = deflate_flavour_ends(learning->matcher.flavour, learning->level, &learning->writer, token);
    learning->index++;
    if (r == 0 && learning->misses > learning->misses_max + learning->index / 64)
        r = hf_err_set(err, ENOENT, "too many exceptions to the prediction");
    return r < 0 ? r : (int)deflate_length(token);
}

static bool has_enough(const struct learning *learning)
{
    return learning->trial && learning->index >= TRIAL_TOKENS &&
           (learning->telling >= TRIAL_TELLING || learning->index >= TRIAL_TOKENS_MAX);
}

static int learn_tokens(struct learning *learning, struct hf_err *err)
{
    const struct deflate_block *block = &learning->block;
    bool stored = block->kind == DEFLATE_STORED;
    int r = 0;

    for (uint32_t i = 0; r >= 0 && i < block->n && !has_enough(learning); i += stored ? (uint32_t)r : 1)
        r = learn_token(learning, block->tokens[i], stored ? block->n - i : 0, err);
    return HF_MIN(r, 0);
}

static int learn_end(struct learning *learning, struct hf_err *err)
{
    struct deflate_writer *writer = &learning->writer;
    const struct deflate_block *block = &learning->block;
    enum deflate_kind kind = deflate_writer_compare(writer, block);
    int r = 0;

    /* Two ends need no mark: a full block that is not the last one, and a last block that is not full. The encoder
     * would take the mark of an empty block for that of the block before it, so that one gets a mark, too. */
    bool implied = kind == DEFLATE_AUTO && learning->full != block->last;
    if (deflate_flavour_is_kp(learning->matcher.flavour)) {
        implied = false;
    } else if (learning->matcher.flavour == DEFLATE_GO) {
        bool end = learning->at == learning->search->plain_n && learning->matcher.at == learning->matcher.end;
        implied = block->last ? kind == DEFLATE_STORED && block->n == 0 && end
                              : kind == DEFLATE_AUTO && (learning->full || (end && block->n > 0));
    }
    if (!implied && learning->implied && block->n == 0)
        r = add_mark(learning, (uint64_t)DEFLATE_AUTO * 2 + 1, err);
    if (!implied && r == 0)
        r = add_mark(learning, ((uint64_t)kind | (block->last ? 8 : 0)) * 2 + 1, err);
    if (r == 0 && kind == DEFLATE_GIVEN)
        r = add_head(learning, &block->head, err);
    learning->implied = implied;
    learning->full = false;
    deflate_writer_drop(writer);
    return r;
}

static int learn(struct learning *learning, struct hf_err *err)
{
    const struct pack_search *search = learning->search;
    struct hf_delta_memory memory = {search->packed, search->packed_n};
    const struct hf_delta_old from = {&memory, hf_delta_memory_pread, search->packed_n};
    int r = 0;

    pack_reader_init(&learning->reader.in, &from, 0, search->packed_n);
    do {
        r = deflate_read_block(&learning->reader, &learning->block, err);
        if (r == 0)
            r = learn_tokens(learning, err);
        if (r == 0 && has_enough(learning))
            return 0;
        if (r == 0)
            r = learn_end(learning, err);
        if (search->progress != NULL && search->progress(search->progress_ctx) != 0)
            r = hf_err_set(err, ECANCELED, "cancelled");
    } while (r == 0 && !learning->block.last);
    return r == 0 && learning->reader.odd ? hf_err_set(err, ENOENT, "the stream has bits that no encoder writes") : r;
}

/* Lists the exceptions of the whole stream, or, for a trial, of its first tokens. -ENOENT: more than misses_max. */
static int try_one(const struct pack_search *search, enum deflate_flavour flavour, unsigned level, bool trial,
                   uint64_t misses_max, struct hf_buf *ret_marks, uint64_t *ret_misses, struct hf_err *err)
{
    struct learning *learning = calloc(1, sizeof(*learning));
    const struct pack_sink none = {NULL, NULL};
    int r;

    if (learning == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    learning->search = search;
    learning->trial = trial;
    learning->misses_max = misses_max;
    learning->level = level;
    learning->marks.max = MARKS_MAX;
    deflate_matcher_init(&learning->matcher, flavour, level);
    r = deflate_writer_init(&learning->writer, &none, err);
    learning->writer.coding = deflate_flavour_coding(flavour);
    if (r == 0)
        r = learn(learning, err);
    *ret_misses = learning->misses;
    if (r == 0 && ret_marks != NULL) {
        *ret_marks = learning->marks;
        learning->marks = (struct hf_buf)HF_BUF_INIT(0);
    }
    hf_buf_done(&learning->marks);
    deflate_writer_done(&learning->writer);
    free(learning->block.tokens);
    free(learning);
    return r;
}

/* Chooses the flavour and level that fit the beginning best. Between the flavours of zlib and gzip only the level
 * counts: they differ in where blocks end, which only a complete comparison shows. */
static int choose(const struct pack_search *search, unsigned char params[2], struct hf_err *err)
{
    static const unsigned char levels[] = {6, 9, 1, 5, 4, 7, 8, 3, 2};
    uint64_t best = UINT64_MAX, misses;

    for (unsigned flavour = 0; flavour < DEFLATE_FLAVOURS && best > 0; flavour++) {
        for (unsigned i = 0; i < HF_LEN(levels) && best > 0; i++) {
            if (!deflate_flavour_has((enum deflate_flavour)flavour, levels[i]))
                continue;
            int r =
                try_one(search, (enum deflate_flavour)flavour, levels[i], true, TRIAL_TOKENS / 64, NULL, &misses, err);
            if (r < 0 && r != -ENOENT)
                return r;
            if (r == 0 && misses < best) {
                best = misses;
                params[0] = (unsigned char)flavour;
                params[1] = levels[i];
            }
        }
    }
    return best < UINT64_MAX ? 0 : hf_err_set(err, ENOENT, "no known encoder predicts the stream");
}

int pack_deflate_guess(const struct pack_search *search, struct hf_err *err)
{
    unsigned char params[2];

    return choose(search, params, err);
}

int pack_deflate_find(const struct pack_search *search, struct pack_setup *ret_setup, unsigned char **ret_marks,
                      struct hf_err *err)
{
    struct pack_setup setup = {.codec = PACK_CODEC_DEFLATE, .params_n = 2, .gzip_tail = ret_setup->gzip_tail};
    struct hf_buf best = HF_BUF_INIT(MARKS_MAX);
    uint64_t misses, least = UINT64_MAX;
    int r = choose(search, setup.params, err);

    if (r < 0)
        return r;
    enum deflate_coding coding = deflate_flavour_coding((enum deflate_flavour)setup.params[0]);
    for (unsigned flavour = 0; flavour < DEFLATE_FLAVOURS && least > 0; flavour++) {
        if (deflate_flavour_coding((enum deflate_flavour)flavour) != coding ||
            !deflate_flavour_has((enum deflate_flavour)flavour, setup.params[1]))
            continue;
        struct hf_buf marks = HF_BUF_INIT(0);
        r = try_one(search, (enum deflate_flavour)flavour, setup.params[1], false, 32, &marks, &misses, err);
        if (r < 0 && r != -ENOENT)
            break;
        if (r == 0 && marks.n < least) {
            hf_buf_done(&best);
            best = marks;
            least = marks.n;
            setup.params[0] = (unsigned char)flavour;
        } else if (r == 0) {
            hf_buf_done(&marks);
        }
        r = 0;
    }
    if (r == 0 && least == UINT64_MAX)
        r = hf_err_set(err, ENOENT, "no known encoder predicts the stream");
    if (r == 0) {
        setup.marks = (const unsigned char *)best.p;
        setup.marks_n = best.n;
        r = pack_encoder_makes(&setup, search, err);
        r = r == 0 ? hf_err_set(err, ENOENT, "no known encoder predicts the stream") : r;
    }
    if (r < 0) {
        hf_buf_done(&best);
        return r;
    }
    *ret_setup = setup;
    *ret_marks = (unsigned char *)best.p;
    return 0;
}
