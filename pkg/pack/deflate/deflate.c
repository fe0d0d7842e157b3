/* Deflate as an encoder of the gzip family makes it: content in, the encoder's choices predicted, exceptions taken from the marks.
 *
 * A mark is: varint tokens since the last mark, then a varint v. v even: the token is v / 2. v odd: the block ends here, v / 2 is its
 * kind, plus 8 when it is the last; for DEFLATE_GIVEN follow a varint number of bits and the bytes that hold them. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/endian.h"
#include "base/macros.h"
#include "delta/io/wire.h"
#include "pack/deflate/deflate_match.h"

enum { MARKS_MAX = 1 << 18 };

struct making {
    struct deflate_writer writer;
    struct deflate_matcher matcher;
    unsigned level;
    bool full, gzip_tail, starved; /* starved: a mark wants more content than there is yet */
    uint32_t crc, length;
    uint64_t index; /* of the next token */
    const unsigned char *mark, *marks_end;
    uint64_t mark_index, mark_value; /* the next one; UINT64_MAX: none */
};

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "deflate marks: %s", what);
}

static int next_mark(struct making *making, struct hf_err *err)
{
    uint64_t step;

    if (making->mark == making->marks_end) {
        making->mark_index = UINT64_MAX;
        return 0;
    }
    if (!delta_get_varint(&making->mark, making->marks_end, &step) ||
        !delta_get_varint(&making->mark, making->marks_end, &making->mark_value) ||
        step > UINT64_MAX / 2 - making->mark_index)
        return damaged(err, "one is cut off");
    making->mark_index += step;
    return 0;
}

static int auto_end(struct making *making, bool last, struct hf_err *err)
{
    making->full = false;
    return deflate_writer_end(&making->writer, DEFLATE_AUTO, NULL, last, err);
}

/* Go's encoder closes with a stored block that is empty. */
static int last_end(struct making *making, struct hf_err *err)
{
    if (making->matcher.flavour != DEFLATE_GO)
        return auto_end(making, true, err);
    int r = making->writer.tokens_n > 0 ? auto_end(making, false, err) : 0;
    return r == 0 ? deflate_writer_end(&making->writer, DEFLATE_STORED, NULL, true, err) : r;
}

/* An end of block that is marked. */
static int marked_end(struct making *making, struct hf_err *err)
{
    uint64_t value = making->mark_value / 2, bits = 0;
    struct deflate_head head = {.bits = 0};

    if (value > 15 || (value & 7) > DEFLATE_AUTO || making->writer.ended)
        return damaged(err, "an end of block that cannot be");
    if ((value & 7) == DEFLATE_GIVEN) {
        if (!delta_get_varint(&making->mark, making->marks_end, &bits) || bits > 8 * DEFLATE_HEAD_BYTES ||
            (bits + 7) / 8 > (uint64_t)(making->marks_end - making->mark))
            return damaged(err, "a description that is cut off");
        head.bits = (unsigned)bits;
        memcpy(head.bytes, making->mark, (bits + 7) / 8);
        making->mark += (bits + 7) / 8;
    }
    making->full = false;
    int r = deflate_writer_end(&making->writer, (enum deflate_kind)(value & 7), &head, value > 7, err);
    return r == 0 ? next_mark(making, err) : r;
}

static int check_token(const struct making *making, uint64_t token, struct hf_err *err)
{
    unsigned n = (unsigned)(token >> 16), far = token & 0xffff;
    const struct deflate_matcher *m = &making->matcher;

    if (token < 256)
        return token == m->window[m->at] ? 0 : damaged(err, "a literal that is not there");
    if (token >> 25 != 0 || n < 3 || n > 258 || far < 1 || far > DEFLATE_WINDOW || n > m->end - m->at)
        return damaged(err, "a match that cannot be");
    /* Go looks for a match before its window slides and may tell it behind that: further back than what is still held here. */
    if (far <= m->at && memcmp(m->window + m->at, m->window + m->at - far, n) != 0)
        return damaged(err, "a match that is not there");
    return 0;
}

static int put_token(struct making *making, uint32_t token, struct hf_err *err)
{
    struct deflate_matcher *m = &making->matcher;
    int r = making->full ? auto_end(making, false, err) : 0;

    if (r == 0 && making->writer.ended)
        return damaged(err, "content after the last block");
    if (r == 0)
        r = deflate_writer_token(&making->writer, token, m->window + m->at, err);
    if (r < 0)
        return r;
    deflate_matcher_accept(m, token);
    deflate_flavour_note(m, &making->writer);
    making->full = deflate_flavour_ends(m->flavour, making->level, &making->writer, token);
    making->index++;
    return 0;
}

static int run(struct making *making, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && deflate_matcher_ready(&making->matcher)) {
        uint32_t token = deflate_matcher_predict(&making->matcher);
        while (r == 0 && making->mark_index == making->index && (making->mark_value & 1) != 0)
            r = marked_end(making, err);
        if (r == 0 && making->mark_index == making->index) {
            r = check_token(making, making->mark_value / 2, err);
            token = (uint32_t)(making->mark_value / 2);
            making->mark_index = r == 0 ? making->index : making->mark_index;
            if (r == 0)
                r = next_mark(making, err);
        }
        if (r == 0)
            r = put_token(making, token, err);
    }
    return r;
}

static int deflate_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct making *making = state;

    making->crc = making->gzip_tail ? pack_crc32(making->crc, bytes, n) : 0;
    making->length += (uint32_t)n;
    while (n > 0) {
        size_t took = deflate_matcher_fill(&making->matcher, bytes, n);
        bytes += took;
        n -= took;
        int r = run(making, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int deflate_finish(void *state, struct hf_err *err)
{
    struct making *making = state;
    unsigned char tail[8];
    int r;

    making->matcher.eof = true;
    r = run(making, err);
    while (r == 0 && making->mark_index == making->index && (making->mark_value & 1) != 0)
        r = marked_end(making, err);
    if (r == 0 && making->full)
        r = auto_end(making, false, err);
    if (r == 0 && !making->writer.ended)
        r = last_end(making, err);
    if (r == 0 && making->mark_index != UINT64_MAX)
        r = damaged(err, "more of them than tokens");
    hf_put_le32(tail, making->crc);
    hf_put_le32(tail + 4, making->length);
    return r == 0 ? deflate_writer_finish(&making->writer, tail, making->gzip_tail ? 8 : 0, err) : r;
}

static void deflate_done(void *state)
{
    struct making *making = state;

    deflate_writer_done(&making->writer);
    free(making);
}

static int deflate_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state,
                        struct hf_err *err)
{
    struct making *making;
    int r;

    if (setup->params_n != 2 || setup->params[0] >= DEFLATE_FLAVOURS ||
        !deflate_flavour_has((enum deflate_flavour)setup->params[0], setup->params[1]))
        return hf_err_set(err, EBADMSG, "deflate parameters that are not known");
    if (setup->marks_n > MARKS_MAX)
        return hf_err_set(err, E2BIG, "more than %d bytes of deflate marks", MARKS_MAX);
    making = calloc(1, sizeof(*making));
    if (making == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    deflate_matcher_init(&making->matcher, (enum deflate_flavour)setup->params[0], setup->params[1]);
    making->level = setup->params[1];
    making->gzip_tail = setup->gzip_tail;
    making->mark = setup->marks;
    making->marks_end = setup->marks != NULL ? setup->marks + setup->marks_n : NULL;
    r = deflate_writer_init(&making->writer, out, err);
    making->writer.coding = deflate_flavour_coding((enum deflate_flavour)setup->params[0]);
    if (r == 0)
        r = next_mark(making, err);
    if (r < 0) {
        deflate_done(making);
        return r;
    }
    *ret_state = making;
    return 0;
}

static uint64_t deflate_memory(const struct pack_setup *setup)
{
    (void)setup;
    return sizeof(struct making) + DEFLATE_STORED_MAX + 2 * 2 * 65536 + MARKS_MAX;
}

/* ---- content out of deflate ---------------------------------------------------------------------------------------- */

struct taking {
    struct deflate_taking stream;
    size_t n, pushed;
    unsigned char window[8 * DEFLATE_WINDOW];
};

static int push(struct taking *taking, struct hf_err *err)
{
    const unsigned char *from = taking->window + taking->pushed;
    size_t n = taking->n - taking->pushed;

    taking->stream.crc = pack_crc32(taking->stream.crc, from, n);
    taking->stream.length += (uint32_t)n;
    taking->pushed = taking->n;
    return n > 0 ? taking->stream.out->write(taking->stream.out->ctx, from, n, err) : 0;
}

static int make_room(struct taking *taking, struct hf_err *err)
{
    if (taking->n + 258 <= sizeof(taking->window))
        return 0;
    int r = push(taking, err);
    memmove(taking->window, taking->window + taking->n - DEFLATE_WINDOW, DEFLATE_WINDOW);
    taking->n = taking->pushed = DEFLATE_WINDOW;
    return r;
}

static int take_block(struct deflate_taking *stream, struct hf_err *err)
{
    struct taking *taking = hf_container_of(stream, struct taking, stream);

    for (uint32_t i = 0; i < stream->block.n; i++) {
        uint32_t token = stream->block.tokens[i];
        int r = make_room(taking, err);
        if (r < 0)
            return r;
        if (token < 256) {
            taking->window[taking->n++] = (unsigned char)token;
            continue;
        }
        size_t far = token & 0xffff;
        if (far > taking->n)
            return hf_err_set(err, EBADMSG, "deflate stream: a distance beyond its beginning");
        for (unsigned k = deflate_length(token); k > 0; k--, taking->n++)
            taking->window[taking->n] = taking->window[taking->n - far];
    }
    return 0;
}

static int push_rest(struct deflate_taking *stream, struct hf_err *err)
{
    return push(hf_container_of(stream, struct taking, stream), err);
}

static int deflate_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct taking *taking = calloc(1, sizeof(*taking));

    if (taking == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    taking->stream.memory = sizeof(*taking);
    taking->stream.take_block = take_block;
    taking->stream.end = push_rest;
    int r = deflate_take(decode, &taking->stream, ret_n, err);
    free(taking);
    return r;
}

const struct pack_encoder_ops pack_deflate_ops = {
    .make = deflate_make,
    .feed = deflate_feed,
    .finish = deflate_finish,
    .done = deflate_done,
    .memory = deflate_memory,
    .decode = deflate_decode,
};
