/* SPDX-License-Identifier: Apache-2.0 */
/* PACK_CODEC_DEFLATE. The encoder predicts each token and end of block from the content; marks list the exceptions.
 *
 * A mark is a varint, the number of tokens since the last mark, and a varint v. v even: the next token is v / 2. v
 * odd: the block ends here; v / 2 is its kind, plus 8 for the last block. DEFLATE_GIVEN is followed by a varint
 * number of bits and the bytes that hold them. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "delta/io/wire.h"
#include "pack/deflate/deflate_match.h"

enum { MARKS_MAX = 1 << 18 };

struct deflate_encoder {
    struct deflate_writer writer;
    struct deflate_matcher matcher;
    unsigned level;
    bool full; /* the block ends before the next token, unless a mark ends it */
    bool gzip_tail;
    uint32_t crc, length;
    uint64_t index;                        /* number of tokens so far */
    const unsigned char *mark, *marks_end; /* marks behind the next one */
    uint64_t mark_index, mark_value;       /* the next mark; mark_index UINT64_MAX: none */
};

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "deflate exceptions: %s", what);
}

static int next_mark(struct deflate_encoder *encoder, struct hf_err *err)
{
    uint64_t step;

    if (encoder->mark == encoder->marks_end) {
        encoder->mark_index = UINT64_MAX;
        return 0;
    }
    if (!delta_get_varint(&encoder->mark, encoder->marks_end, &step) ||
        !delta_get_varint(&encoder->mark, encoder->marks_end, &encoder->mark_value) ||
        step > UINT64_MAX / 2 - encoder->mark_index)
        return damaged(err, "an exception is incomplete");
    encoder->mark_index += step;
    return 0;
}

static int auto_end(struct deflate_encoder *encoder, bool last, struct hf_err *err)
{
    encoder->full = false;
    return deflate_writer_end(&encoder->writer, DEFLATE_AUTO, NULL, last, err);
}

/* Go's encoder ends a stream with an empty stored block. */
static int last_end(struct deflate_encoder *encoder, struct hf_err *err)
{
    if (encoder->matcher.flavour != DEFLATE_GO)
        return auto_end(encoder, true, err);
    int r = encoder->writer.tokens_n > 0 ? auto_end(encoder, false, err) : 0;
    return r == 0 ? deflate_writer_end(&encoder->writer, DEFLATE_STORED, NULL, true, err) : r;
}

/* Ends the block as the current mark says. */
static int marked_end(struct deflate_encoder *encoder, struct hf_err *err)
{
    uint64_t value = encoder->mark_value / 2, bits = 0;
    struct deflate_head head = {.bits = 0};

    if (value > 15 || (value & 7) > DEFLATE_AUTO || encoder->writer.ended)
        return damaged(err, "invalid end of block");
    if ((value & 7) == DEFLATE_GIVEN) {
        if (!delta_get_varint(&encoder->mark, encoder->marks_end, &bits) || bits > 8 * DEFLATE_HEAD_BYTES ||
            (bits + 7) / 8 > (uint64_t)(encoder->marks_end - encoder->mark))
            return damaged(err, "a description of codes is incomplete");
        head.bits = (unsigned)bits;
        memcpy(head.bytes, encoder->mark, (size_t)(bits + 7) / 8);
        encoder->mark += (bits + 7) / 8;
    }
    encoder->full = false;
    int r = deflate_writer_end(&encoder->writer, (enum deflate_kind)(value & 7), &head, value > 7, err);
    return r == 0 ? next_mark(encoder, err) : r;
}

static int check_token(const struct deflate_encoder *encoder, uint64_t token, struct hf_err *err)
{
    unsigned n = (unsigned)(token >> 16), far = token & 0xffff;
    const struct deflate_matcher *m = &encoder->matcher;

    if (token < 256)
        return token == m->window[m->at] ? 0 : damaged(err, "a literal differs from the content");
    if (token >> 25 != 0 || n < 3 || n > 258 || far < 1 || far > DEFLATE_WINDOW || n > m->end - m->at)
        return damaged(err, "invalid match");
    /* Go looks for a match before its window slides and may emit it after that, so it may lie before the start of our
     * window. */
    if (far <= m->at && memcmp(m->window + m->at, m->window + m->at - far, n) != 0)
        return damaged(err, "a match differs from the content");
    return 0;
}

static int put_token(struct deflate_encoder *encoder, uint32_t token, struct hf_err *err)
{
    struct deflate_matcher *m = &encoder->matcher;
    int r = encoder->full ? auto_end(encoder, false, err) : 0;

    if (r == 0 && encoder->writer.ended)
        return damaged(err, "content after the last block");
    if (r == 0)
        r = deflate_writer_token(&encoder->writer, token, m->window + m->at, err);
    if (r < 0)
        return r;
    deflate_matcher_accept(m, token);
    deflate_flavour_note(m, &encoder->writer);
    encoder->full = deflate_flavour_ends(m->flavour, encoder->level, &encoder->writer, token);
    encoder->index++;
    return 0;
}

static int run(struct deflate_encoder *encoder, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && deflate_matcher_ready(&encoder->matcher)) {
        uint32_t token = deflate_matcher_predict(&encoder->matcher);
        while (r == 0 && encoder->mark_index == encoder->index && (encoder->mark_value & 1) != 0)
            r = marked_end(encoder, err);
        if (r == 0 && encoder->mark_index == encoder->index) {
            r = check_token(encoder, encoder->mark_value / 2, err);
            token = (uint32_t)(encoder->mark_value / 2);
            encoder->mark_index = r == 0 ? encoder->index : encoder->mark_index;
            if (r == 0)
                r = next_mark(encoder, err);
        }
        if (r == 0)
            r = put_token(encoder, token, err);
    }
    return r;
}

static int deflate_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct deflate_encoder *encoder = state;

    encoder->crc = encoder->gzip_tail ? pack_crc32(encoder->crc, bytes, n) : 0;
    encoder->length += (uint32_t)n;
    while (n > 0) {
        size_t took = deflate_matcher_fill(&encoder->matcher, bytes, n);
        bytes += took;
        n -= took;
        int r = run(encoder, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int deflate_finish(void *state, struct hf_err *err)
{
    struct deflate_encoder *encoder = state;
    unsigned char tail[8];
    int r;

    encoder->matcher.eof = true;
    r = run(encoder, err);
    while (r == 0 && encoder->mark_index == encoder->index && (encoder->mark_value & 1) != 0)
        r = marked_end(encoder, err);
    if (r == 0 && encoder->full)
        r = auto_end(encoder, false, err);
    if (r == 0 && !encoder->writer.ended)
        r = last_end(encoder, err);
    if (r == 0 && encoder->mark_index != UINT64_MAX)
        r = damaged(err, "exceptions after the last token");
    hf_put_le32(tail, encoder->crc);
    hf_put_le32(tail + 4, encoder->length);
    return r == 0 ? deflate_writer_finish(&encoder->writer, tail, encoder->gzip_tail ? 8 : 0, err) : r;
}

static void deflate_done(void *state)
{
    struct deflate_encoder *encoder = state;

    deflate_writer_done(&encoder->writer);
    free(encoder);
}

static int deflate_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state,
                        struct hf_err *err)
{
    struct deflate_encoder *encoder;
    int r;

    if (setup->params_n != 2 || setup->params[0] >= DEFLATE_FLAVOURS ||
        !deflate_flavour_has((enum deflate_flavour)setup->params[0], setup->params[1]))
        return hf_err_set(err, EBADMSG, "unknown deflate parameters");
    if (setup->marks_n > MARKS_MAX)
        return hf_err_set(err, E2BIG, "more than %d bytes of deflate exceptions", MARKS_MAX);
    encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    deflate_matcher_init(&encoder->matcher, (enum deflate_flavour)setup->params[0], setup->params[1]);
    encoder->level = setup->params[1];
    encoder->gzip_tail = setup->gzip_tail;
    encoder->mark = setup->marks;
    encoder->marks_end = setup->marks != NULL ? setup->marks + setup->marks_n : NULL;
    r = deflate_writer_init(&encoder->writer, out, err);
    encoder->writer.coding = deflate_flavour_coding((enum deflate_flavour)setup->params[0]);
    if (r == 0)
        r = next_mark(encoder, err);
    if (r < 0) {
        deflate_done(encoder);
        return r;
    }
    *ret_state = encoder;
    return 0;
}

static uint64_t deflate_memory(HF_UNUSED const struct pack_setup *setup)
{
    return sizeof(struct deflate_encoder) + DEFLATE_STORED_MAX + 2 * 2 * 65536 + MARKS_MAX;
}

/* ---- decoding ---------------------------------------------------------------------------------------------------- */

struct content_decoder {
    struct deflate_stream stream;
    size_t n, pushed; /* bytes in the window; bytes of them that the sink has */
    unsigned char window[8 * DEFLATE_WINDOW];
};

static int push(struct content_decoder *decoder, struct hf_err *err)
{
    const unsigned char *from = decoder->window + decoder->pushed;
    size_t n = decoder->n - decoder->pushed;

    decoder->stream.crc = pack_crc32(decoder->stream.crc, from, n);
    decoder->stream.length += (uint32_t)n;
    decoder->pushed = decoder->n;
    return n > 0 ? decoder->stream.out->write(decoder->stream.out->ctx, from, n, err) : 0;
}

static int make_room(struct content_decoder *decoder, struct hf_err *err)
{
    if (decoder->n + 258 <= sizeof(decoder->window))
        return 0;
    int r = push(decoder, err);
    memmove(decoder->window, decoder->window + decoder->n - DEFLATE_WINDOW, DEFLATE_WINDOW);
    decoder->n = decoder->pushed = DEFLATE_WINDOW;
    return r;
}

static int take_block(struct deflate_stream *stream, struct hf_err *err)
{
    struct content_decoder *decoder = hf_container_of(stream, struct content_decoder, stream);

    for (uint32_t i = 0; i < stream->block.n; i++) {
        uint32_t token = stream->block.tokens[i];
        int r = make_room(decoder, err);
        if (r < 0)
            return r;
        if (token < 256) {
            decoder->window[decoder->n++] = (unsigned char)token;
            continue;
        }
        size_t far = token & 0xffff;
        if (far > decoder->n)
            return hf_err_set(err, EBADMSG, "deflate stream: a distance reaches before its start");
        for (unsigned k = deflate_length(token); k > 0; k--, decoder->n++)
            decoder->window[decoder->n] = decoder->window[decoder->n - far];
    }
    return 0;
}

static int push_last(struct deflate_stream *stream, struct hf_err *err)
{
    return push(hf_container_of(stream, struct content_decoder, stream), err);
}

static int deflate_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct content_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    decoder->stream.memory = sizeof(*decoder);
    decoder->stream.take_block = take_block;
    decoder->stream.end = push_last;
    int r = deflate_stream_decode(decode, &decoder->stream, ret_n, err);
    free(decoder);
    return r;
}

const struct pack_codec_ops pack_deflate_ops = {
    .make = deflate_make,
    .feed = deflate_feed,
    .finish = deflate_finish,
    .done = deflate_done,
    .memory = deflate_memory,
    .decode = deflate_decode,
};
