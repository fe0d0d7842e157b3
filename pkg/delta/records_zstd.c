/* SPDX-License-Identifier: Apache-2.0 */
/* Method 1: records for speed. The body is the shared context as in method 2, then a compressed block
 * (delta/coder.h) for each 4 MiB of output, so that applying can resume between them. A block is a sequence of
 * chunks: control numbers and differing bytes, which the decoder keeps in memory, then literals, which it reads as
 * it needs them. Bytes of one kind compress best together, so a chunk is as long as memory allows, mostly the whole
 * block. Copies predict the same bytes as in method 2. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "delta/blocks.h"
#include "delta/cm/model.h"
#include "delta/coder.h"
#include "delta/match/extend.h"
#include "delta/methods.h"
#include "delta/shared_context.h"

enum {
    PIECE = 1 << 16,               /* bytes of output made at once */
    CHUNK_DATA = 3 * PIECE + 4096, /* bytes of control and differences in a chunk, at most */
};

/* Lists of one chunk, to read or (in create) written. */
struct chunk {
    const unsigned char *control, *control_end, *diff, *diff_end;
};

/* Position of decoder and encoder; `next` is the first map entry that ends behind new_pos. */
struct record_cursor {
    struct delta_predictor predictor;
    const struct delta_map_entry *next, *end;
    uint64_t new_pos;
    uint64_t shift; /* old - new of the last copy outside the map */
};

static void cursor_start(struct record_cursor *cursor, struct delta_shared_context *shared, uint64_t start)
{
    const struct delta_map *map = &shared->map;

    cursor->predictor.shared = shared;
    delta_predictor_reset(&cursor->predictor);
    cursor->next = delta_map_at(map, start);
    cursor->end = map->p + map->n;
    cursor->new_pos = start;
    cursor->shift = 0;
}

/* Learns the actual words of the window's references. */
static void learn_window(struct delta_predictor *p, const struct delta_span *span, const unsigned char *made)
{
    delta_predictor_made(p, span, made);
    for (size_t i = 0; i < span->refs; i++) {
        uint64_t word = hf_le(made + p->refs[i].at, p->refs[i].n);
        if (word != p->guesses[i].word[0])
            delta_predictor_learn(p, &p->refs[i], &p->guesses[i], word);
    }
}

/* ---- apply ----------------------------------------------------------------------------------------------------- */

struct zstd_decoder {
    struct delta_unpacker *unpacker;
    struct record_cursor cursor;
    uint64_t equal, differing; /* bytes of the copy to come */
    unsigned char data[CHUNK_DATA];
    unsigned char made[PIECE];
};

static int unpack_varint(struct zstd_decoder *u, uint64_t *ret_value, struct hf_err *err)
{
    unsigned char bytes[10];
    const unsigned char *p = bytes;
    unsigned n = 0;

    do {
        int r = delta_unpacker_read(u->unpacker, &bytes[n], 1, err);
        if (r < 0)
            return r;
    } while ((bytes[n++] & 0x80) != 0 && n < sizeof(bytes));
    if (!delta_get_varint(&p, bytes + n, ret_value))
        return hf_err_set(err, EBADMSG, "delta is damaged: bad number in a block");
    return 0;
}

static int damaged_chunk(struct hf_err *err)
{
    return hf_err_set(err, EBADMSG, "delta is damaged: inconsistent chunk");
}

static bool take(struct chunk *c, uint64_t *ret_value)
{
    return delta_get_varint(&c->control, c->control_end, ret_value);
}

struct segment_source {
    struct chunk *chunk;
    struct hf_err *err;
};

static int read_segments(void *ctx, struct delta_predictor *p, HF_UNUSED const struct delta_segments *truth)
{
    struct segment_source *reading = ctx;
    uint64_t n;

    if (!take(reading->chunk, &n) || n > DELTA_SEGMENTS)
        return damaged_chunk(reading->err);
    p->segments.n = (unsigned)n;
    for (unsigned i = 0; i < n; i++) {
        struct delta_segment s = delta_predictor_segment(p, i);
        uint64_t *fields[4] = {&s.offset, &s.address, &s.file_size, &s.memory_size}, by;
        for (unsigned k = 0; k < 4; k++) {
            if (!take(reading->chunk, &by))
                return damaged_chunk(reading->err);
            *fields[k] += (uint64_t)delta_unzigzag(by);
        }
        p->segments.p[i] = s;
    }
    return 0;
}

/* Reads a pair {equal bytes + 1, differing bytes}. A single 0 stands for an equal remainder of the copy. */
static bool take_pair(struct zstd_decoder *u, struct chunk *c, uint64_t rest)
{
    uint64_t first;

    if (!take(c, &first))
        return false;
    u->equal = first > 0 ? first - 1 : rest;
    return first == 0 || take(c, &u->differing);
}

/* Adds the differences to the prediction in bytes[n]; `rest` bytes remain of the copy from the first of them on. A
 * pair may extend into the next window. */
static int add_diff(struct zstd_decoder *u, struct chunk *c, unsigned char *bytes, size_t n, uint64_t rest,
                    struct hf_err *err)
{
    for (size_t at = 0; at < n;) {
        if (u->equal == 0 && u->differing == 0 && !take_pair(u, c, rest - at))
            return damaged_chunk(err);
        size_t part = (size_t)HF_MIN(u->equal, (uint64_t)(n - at));
        at += part;
        u->equal -= part;
        part = u->equal > 0 ? 0 : (size_t)HF_MIN(u->differing, (uint64_t)(n - at));
        if (part > (size_t)(c->diff_end - c->diff) || (part == 0 && at < n))
            return damaged_chunk(err);
        for (u->differing -= part; part > 0; part--)
            bytes[at++] += *c->diff++;
    }
    return 0;
}

static int make_copy(HF_UNUSED struct delta_apply_state *apply, struct zstd_decoder *u, struct chunk *c,
                     unsigned char *to, uint64_t old_pos, uint64_t n, struct hf_err *err)
{
    struct delta_predictor *p = &u->cursor.predictor;
    struct segment_source reading = {c, err};
    int r;

    u->equal = u->differing = 0;
    while (n > 0) {
        struct delta_span span = {.new_pos = u->cursor.new_pos, .old_pos = old_pos};
        if ((r = delta_predictor_enter(p, span.new_pos, read_segments, &reading, err)) < 0 ||
            (r = delta_predictor_window(p, &span, DELTA_WINDOW_MAX, n, err)) < 0)
            return r;
        memcpy(to, p->predicted, span.n);
        if ((r = add_diff(u, c, to, span.n, n, err)) < 0)
            return r;
        learn_window(p, &span, to);
        to += span.n;
        old_pos += span.n;
        n -= span.n;
        u->cursor.new_pos += span.n;
    }
    return u->equal == 0 && u->differing == 0 ? 0 : damaged_chunk(err);
}

/* Makes literals, and the copy outside the map that may follow them. */
static int make_gap(struct delta_apply_state *apply, struct zstd_decoder *u, struct chunk *c, unsigned char *to,
                    uint64_t gap, struct hf_err *err)
{
    uint64_t rest, n, jump;

    if (!take(c, &rest) || rest > gap)
        return damaged_chunk(err);
    int r = delta_unpacker_read(u->unpacker, to, (size_t)(gap - rest), err);
    if (r < 0)
        return r;
    u->cursor.new_pos += gap - rest;
    if (rest == 0)
        return 0;
    if (!take(c, &n) || !take(c, &jump) || n == 0 || n > rest)
        return damaged_chunk(err);
    u->cursor.shift += (uint64_t)delta_unzigzag(jump);
    uint64_t old_pos = u->cursor.new_pos + u->cursor.shift;
    if (old_pos > apply->old->size || n > apply->old->size - old_pos)
        return hf_err_set(err, EBADMSG, "delta is damaged: a copy exceeds its file");
    return make_copy(apply, u, c, to + (gap - rest), old_pos, n, err);
}

static int make_piece(struct delta_apply_state *apply, struct zstd_decoder *u, struct chunk *c, size_t want,
                      struct hf_err *err)
{
    struct record_cursor *cursor = &u->cursor;
    uint64_t start = cursor->new_pos, end = start + want;
    int r = 0;

    while (r == 0 && cursor->new_pos < end) {
        unsigned char *to = u->made + (cursor->new_pos - start);
        bool more = cursor->next < cursor->end;
        if (more && cursor->next->new_pos <= cursor->new_pos) {
            uint64_t into = cursor->new_pos - cursor->next->new_pos, n = cursor->next->len - into;
            uint64_t old_pos = cursor->next->old_pos + into;
            cursor->next += n <= end - cursor->new_pos;
            r = make_copy(apply, u, c, to, old_pos, HF_MIN(n, end - cursor->new_pos), err);
        } else {
            uint64_t gap_end = more ? HF_MIN((uint64_t)cursor->next->new_pos, end) : end;
            r = make_gap(apply, u, c, to, gap_end - cursor->new_pos, err);
        }
    }
    return r < 0 ? r : delta_output_write(&apply->output, u->made, want, err);
}

static int apply_chunk(struct delta_apply_state *apply, struct zstd_decoder *u, uint64_t block_end, struct hf_err *err)
{
    uint64_t pieces, control, diff;
    struct chunk c;
    int r;

    if ((r = unpack_varint(u, &pieces, err)) < 0 || (r = unpack_varint(u, &control, err)) < 0 ||
        (r = unpack_varint(u, &diff, err)) < 0)
        return r;
    if (pieces == 0 || pieces > (block_end - apply->output.written + PIECE - 1) / PIECE || control > CHUNK_DATA ||
        diff > CHUNK_DATA - control)
        return damaged_chunk(err);
    if ((r = delta_unpacker_read(u->unpacker, u->data, (size_t)(control + diff), err)) < 0)
        return r;
    c.control = u->data;
    c.diff = c.control_end = u->data + control;
    c.diff_end = c.diff + diff;
    for (; r == 0 && pieces > 0; pieces--)
        r = make_piece(apply, u, &c, (size_t)HF_MIN(block_end - apply->output.written, (uint64_t)PIECE), err);
    if (r < 0)
        return r;
    return c.control == c.control_end && c.diff == c.diff_end ? 0 : damaged_chunk(err);
}

/* `packed` is the number in front of the block. */
static int apply_block(struct delta_apply_state *apply, struct zstd_decoder *u, struct delta_shared_context *shared,
                       uint64_t packed, uint64_t block_end, struct hf_err *err)
{
    uint64_t start = apply->output.written;
    int r = delta_unpacker_start(u->unpacker, packed & 1, packed >> 1, err);

    cursor_start(&u->cursor, shared, start);
    while (r == 0 && apply->output.written < block_end)
        r = apply_chunk(apply, u, block_end, err);
    return r < 0 ? r : delta_unpacker_finish(u->unpacker, err);
}

static int apply_blocks(struct delta_apply_state *apply, struct zstd_decoder *u, struct delta_shared_context *shared,
                        struct hf_err *err)
{
    uint64_t start = 0, end, packed;
    int r = 0;

    for (; r == 0 && start < apply->header.new_size; start = end) {
        end = HF_MIN(start + DELTA_BLOCK, apply->header.new_size);
        if ((r = delta_input_varint(apply->input, apply->input->left << 1 | 1, &packed, err)) < 0)
            break;
        if (delta_apply_skips_block(apply, start))
            r = delta_input_skip(apply->input, packed >> 1, err);
        else if ((r = apply_block(apply, u, shared, packed, end, err)) == 0)
            r = delta_apply_checkpoint(apply, err);
    }
    return r;
}

int delta_apply_zstd(struct delta_apply_state *apply, struct hf_err *err)
{
    struct delta_shared_context shared = {
        .old = apply->old, .old_size = apply->header.old_size, .new_size = apply->header.new_size, .only_first = true};
    struct zstd_decoder *u = malloc(sizeof(*u));
    int r = u != NULL && (u->unpacker = delta_unpacker_new(apply->input)) != NULL ? 0 : delta_no_memory(err);

    if (r == 0)
        r = delta_shared_context_read(apply, &shared, err);
    if (r == 0)
        r = apply_blocks(apply, u, &shared, err);
    delta_shared_context_done(&shared);
    if (u != NULL)
        delta_unpacker_free(u->unpacker);
    free(u);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct zstd_encoder {
    struct hf_buf control, diff, literal, frame;
    struct record_cursor cursor;
    const struct delta_make *make;
    struct delta_memory memory;
    struct delta_shared_context shared;
    struct delta_packer *packer;
    size_t next_copy;
    uint64_t equal, differing; /* the current pair */
};

static int add_varint(struct hf_buf *buf, uint64_t value)
{
    unsigned char bytes[10];

    return hf_buf_add(buf, bytes, delta_put_varint(bytes, value));
}

static int write_segments(void *ctx, struct delta_predictor *p, const struct delta_segments *truth)
{
    struct zstd_encoder *k = ctx;
    int r = add_varint(&k->control, truth->n);

    p->segments = *truth;
    for (unsigned i = 0; r == 0 && i < truth->n; i++) {
        const struct delta_segment was = delta_predictor_segment(p, i), *now = &truth->p[i];
        const uint64_t by[4] = {now->offset - was.offset, now->address - was.address, now->file_size - was.file_size,
                                now->memory_size - was.memory_size};
        for (unsigned f = 0; r == 0 && f < 4; f++)
            r = add_varint(&k->control, delta_zigzag((int64_t)by[f]));
    }
    return r;
}

static int end_pair(struct zstd_encoder *k)
{
    int r = 0;

    if (k->equal + k->differing > 0 && (r = add_varint(&k->control, k->equal + 1)) == 0)
        r = add_varint(&k->control, k->differing);
    k->equal = k->differing = 0;
    return r;
}

static int end_copy(struct zstd_encoder *k)
{
    return k->equal > 0 && k->differing == 0 ? add_varint(&k->control, 0) : end_pair(k);
}

static int pack_diff(struct zstd_encoder *k, const unsigned char *predicted, const unsigned char *truth, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n;) {
        size_t same = delta_common_prefix(predicted + i, n - i, truth + i, n - i);
        if (same > 0 && k->differing > 0)
            r = end_pair(k);
        k->equal += same;
        for (i += same; r == 0 && i < n && truth[i] != predicted[i]; i++, k->differing++) {
            unsigned char by = (unsigned char)(truth[i] - predicted[i]);
            r = hf_buf_add(&k->diff, &by, 1);
        }
    }
    return r;
}

static int pack_copy(struct zstd_encoder *k, uint64_t old_pos, uint64_t n, struct hf_err *err)
{
    struct delta_predictor *p = &k->cursor.predictor;
    int r;

    k->equal = k->differing = 0;
    while (n > 0) {
        struct delta_span span = {.new_pos = k->cursor.new_pos, .old_pos = old_pos};
        const unsigned char *truth = k->make->new_bytes + span.new_pos;
        if (delta_predictor_enters(p, span.new_pos) &&
            ((r = end_pair(k)) < 0 || (r = delta_predictor_enter(p, span.new_pos, write_segments, k, err)) < 0))
            return r;
        if ((r = delta_predictor_window(p, &span, DELTA_WINDOW_MAX, n, err)) < 0 ||
            (r = pack_diff(k, p->predicted, truth, span.n)) < 0)
            return r;
        learn_window(p, &span, truth);
        old_pos += span.n;
        n -= span.n;
        k->cursor.new_pos += span.n;
    }
    return end_copy(k);
}

static int pack_gap(struct zstd_encoder *k, uint64_t gap_end, struct hf_err *err)
{
    struct delta_copy copy = {gap_end, 0, 0};
    uint64_t at = k->cursor.new_pos;
    int r;

    (void)delta_copies_next_inline(&k->make->copies, &k->next_copy, at, gap_end, &copy);
    if ((r = add_varint(&k->control, gap_end - copy.new_pos)) < 0 ||
        (r = hf_buf_add(&k->literal, k->make->new_bytes + at, (size_t)(copy.new_pos - at))) < 0)
        return r;
    k->cursor.new_pos = copy.new_pos;
    if (copy.len == 0)
        return 0;
    uint64_t shift = copy.old_pos - copy.new_pos;
    if ((r = add_varint(&k->control, copy.len)) < 0 ||
        (r = add_varint(&k->control, delta_zigzag((int64_t)(shift - k->cursor.shift)))) < 0)
        return r;
    k->cursor.shift = shift;
    return pack_copy(k, copy.old_pos, copy.len, err);
}

static int pack_piece(struct zstd_encoder *k, uint64_t end, struct hf_err *err)
{
    struct record_cursor *cursor = &k->cursor;
    int r = 0;

    while (r == 0 && cursor->new_pos < end) {
        bool more = cursor->next < cursor->end;
        if (more && cursor->next->new_pos <= cursor->new_pos) {
            uint64_t into = cursor->new_pos - cursor->next->new_pos, n = cursor->next->len - into;
            uint64_t old_pos = cursor->next->old_pos + into;
            cursor->next += n <= end - cursor->new_pos;
            r = pack_copy(k, old_pos, HF_MIN(n, end - cursor->new_pos), err);
        } else {
            r = pack_gap(k, more ? HF_MIN((uint64_t)cursor->next->new_pos, end) : end, err);
        }
    }
    return r;
}

/* Number of control bytes, differences and literals. */
struct filled {
    size_t control, diff, literal;
};

static struct filled filled_of(const struct zstd_encoder *k)
{
    return (struct filled){k->control.n, k->diff.n, k->literal.n};
}

/* Moves the first n bytes of a list to the frame. */
static int move_to_frame(struct zstd_encoder *k, struct hf_buf *list, size_t n)
{
    int r = hf_buf_add(&k->frame, list->p, n);

    if (r == 0)
        hf_buf_consume(list, n);
    return r;
}

/* Writes a chunk of `pieces` pieces, which take up the first bytes of each list. */
static int end_chunk(struct zstd_encoder *k, uint64_t pieces, struct filled filled)
{
    int r;

    if ((r = add_varint(&k->frame, pieces)) < 0 || (r = add_varint(&k->frame, filled.control)) < 0 ||
        (r = add_varint(&k->frame, filled.diff)) < 0 || (r = move_to_frame(k, &k->control, filled.control)) < 0 ||
        (r = move_to_frame(k, &k->diff, filled.diff)) < 0)
        return r;
    return move_to_frame(k, &k->literal, filled.literal);
}

static int pack_block(struct zstd_encoder *k, struct delta_shared_context *shared, uint64_t start, uint64_t end,
                      struct hf_err *err)
{
    uint64_t pieces = 0;
    int r = 0;

    hf_buf_clear(&k->frame);
    hf_buf_clear(&k->control);
    hf_buf_clear(&k->diff);
    hf_buf_clear(&k->literal);
    cursor_start(&k->cursor, shared, start);
    k->next_copy = 0;
    for (uint64_t at = start; r == 0 && at < end; at += PIECE, pieces++) {
        struct filled before = filled_of(k);
        if ((r = pack_piece(k, HF_MIN(at + PIECE, end), err)) == 0 && pieces > 0 &&
            k->control.n + k->diff.n > CHUNK_DATA) {
            r = end_chunk(k, pieces, before);
            pieces = 0;
        }
    }
    return r == 0 && pieces > 0 ? end_chunk(k, pieces, filled_of(k)) : r;
}

static void pack_close(void *state)
{
    struct zstd_encoder *k = state;

    delta_packer_free(k->packer);
    delta_shared_context_done(&k->shared);
    hf_buf_done(&k->control);
    hf_buf_done(&k->diff);
    hf_buf_done(&k->literal);
    hf_buf_done(&k->frame);
    free(k);
}

static int open_pack(const struct delta_make *make, bool quick, struct hf_buf *shared, void **ret_state,
                     struct hf_err *err)
{
    struct zstd_encoder *k = calloc(1, sizeof(*k));
    int r;

    if (k == NULL)
        return delta_no_memory(err);
    k->control.max = k->diff.max = k->literal.max = k->frame.max = SIZE_MAX / 2;
    k->make = make;
    r = delta_shared_context_make(make, &k->memory, &k->shared, shared, err);
    k->shared.only_first = true;
    bool split = !quick && make->new_n <= DELTA_BLOCK; /* with several blocks, each has a worker */
    if (r == 0 && (k->packer = delta_packer_new(quick, split, make->params)) == NULL)
        r = delta_no_memory(err);
    if (r < 0) {
        pack_close(k);
        return r;
    }
    *ret_state = k;
    return 0;
}

static int pack_open(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err)
{
    return open_pack(make, false, shared, ret_state, err);
}

static int pack_open_quick(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err)
{
    return open_pack(make, true, shared, ret_state, err);
}

static int pack_and_squeeze(void *state, uint64_t start, uint64_t end, struct hf_buf *body, struct hf_err *err)
{
    struct zstd_encoder *k = state;
    int r = pack_block(k, &k->shared, start, end, err);

    /* the frame holds all of it */
    hf_buf_done(&k->control);
    hf_buf_done(&k->diff);
    hf_buf_done(&k->literal);
    if (r == 0)
        r = delta_packer_pack(k->packer, &k->frame, end - start, body);
    return r == -ENOMEM ? delta_no_memory(err) : r;
}

const struct delta_blocks_ops delta_blocks_zstd = {pack_open, pack_and_squeeze, pack_close};
const struct delta_blocks_ops delta_blocks_quick = {pack_open_quick, pack_and_squeeze, pack_close};
