/* SPDX-License-Identifier: Apache-2.0 */
/* The contexts of a literal are the literals before it, and old bytes near the sources of the copies before and
 * after it. The decoded bytes of copies are never contexts of literals. Literals are therefore a separate coded
 * part, which another thread can decode. */
#include "delta/cm/literals.h"

#include <errno.h>
#include <string.h>

#include "delta/cm/stream.h"

/* Old bytes to learn before a run of n literals: all between the copies around it if there are few, else some behind
 * the one and before the other. */
enum { BEFORE_WORDS = 32, BEFORE_BYTES = 2048 };
enum { AROUND_MIN = 8, BETWEEN_TIMES = 2, BETWEEN_MORE = 32, AROUND_MORE = 96, AROUND_MAX = 512, OLD_AT_ONCE = 128 };

struct delta_literals {
    struct delta_stream stream; /* cache-line aligned */
    struct delta_shared_context shared;
    struct delta_predictor p;
    struct delta_cm *cm;
    struct delta_number skip, length, jump;
    uint32_t copy_state, plain_state;
    struct delta_block_options *options; /* encoding only */
    unsigned pieces;                     /* number of pieces so far that could be stored raw */
    uint64_t new_pos, done;
    uint64_t drift; /* old - new of the last copy in a gap */

    /* end in the old file of the copy before a run, and start of the one behind it; 0: none */
    uint64_t before_old, behind_old;
    unsigned char around[STREAM_OLD][OLD_AT_ONCE + 4]; /* bytes that would follow if those copies continued */

    /* the current stripe */
    const unsigned char *truth;        /* encoding: the bytes to code */
    struct delta_literal_queue *queue; /* decoding only */
};

struct delta_literals *delta_literals_new(const struct delta_shared_context *shared, struct delta_old *old)
{
    struct delta_literals *l = aligned_alloc(_Alignof(struct delta_literals), sizeof(*l));

    if (l == NULL)
        return NULL;
    l->shared = *shared;
    if (delta_stream_open(&l->stream, HF_MIN(shared->new_size, (uint64_t)DELTA_BLOCK), shared->lean) < 0) {
        free(l);
        return NULL;
    }
    if (delta_map_view(&shared->map, &l->shared.map, NULL) < 0) {
        delta_stream_done(&l->stream);
        free(l);
        return NULL;
    }
    l->shared.old = old;
    l->shared.only_first = l->shared.by_map = true;
    l->shared.last_pair = (struct delta_pair){0};
    l->p.shared = &l->shared;
    return l;
}

void delta_literals_free(struct delta_literals *literals)
{
    if (literals != NULL) {
        delta_map_view_done(&literals->shared.map);
        delta_stream_done(&literals->stream);
    }
    free(literals);
}

void delta_literals_reset(struct delta_literals *l, bool quick, struct delta_block_options *options)
{
    delta_predictor_reset(&l->p);
    delta_stream_reset(&l->stream, quick);
    delta_number_init(&l->skip);
    delta_number_init(&l->length);
    delta_number_init(&l->jump);
    l->copy_state = l->plain_state = DELTA_BIT_INIT;
    l->options = options;
    l->pieces = 0;
    l->done = 0;
    l->drift = 0;
}

/* ---- what old has around --------------------------------------------------------------------------------------- */

/* Uses the old segments, moved, for the new ones: only copies receive the true ones. */
static int take_segments(HF_UNUSED void *ctx, struct delta_predictor *p, HF_UNUSED const struct delta_segments *truth)
{
    p->segments.n = p->image.segments.n;
    for (unsigned i = 0; i < p->segments.n; i++)
        p->segments.p[i] = delta_predictor_segment(p, i);
    return 0;
}

/* Feeds the old bytes from `from` on to the stream as if they were copied to `place`: with `learn` to the tables,
 * else only to the history. */
static int take_old(struct delta_literals *l, uint64_t from, uint64_t place, uint64_t n, bool learn, struct hf_err *err)
{
    while (n > 0) {
        struct delta_span s = {.new_pos = place, .old_pos = from};
        int r = delta_predictor_window(&l->p, &s, DELTA_WINDOW_MAX, n, err);
        if (r < 0)
            return r;
        enum delta_order order = delta_order_of(l->p.image.machine, s.region);
        if (learn)
            delta_aside_learn(&l->stream, order, place, l->p.predicted, s.n);
        else
            delta_stream_precede(&l->stream, order, place, l->p.predicted, s.n);
        from += s.n;
        place += s.n;
        n -= s.n;
    }
    return 0;
}

/* Adds the end of the copy before a run to the history, as old file and map have it. */
static int take_before(struct delta_literals *l, struct hf_err *err)
{
    uint64_t most = l->stream.order == DELTA_ORDER_AARCH64 ? BEFORE_WORDS : BEFORE_BYTES;
    uint64_t n = HF_MIN(HF_MIN(most, l->new_pos - l->done), l->before_old);

    return n > 0 ? take_old(l, l->before_old - n, l->new_pos - n, n, false, err) : 0;
}

/* Learns the old bytes around a run of n literals. */
static int learn_around(struct delta_literals *l, uint64_t n, struct hf_err *err)
{
    uint64_t before = l->before_old, behind = l->behind_old, most = HF_MIN(n + AROUND_MORE, (uint64_t)AROUND_MAX);
    struct delta_aside aside;
    int r = 0;

    delta_aside_begin(&l->stream, &aside);
    if (before > 0 && behind > before && behind - before <= BETWEEN_TIMES * n + BETWEEN_MORE) {
        r = take_old(l, before, l->new_pos, behind - before, true, err);
    } else {
        if (before > 0)
            r = take_old(l, before, l->new_pos, HF_MIN(most, l->shared.old_size - before), true, err);
        if (r == 0 && behind > 0) {
            most = HF_MIN(HF_MIN(most, behind), l->new_pos + n) & ~UINT64_C(3);
            r = take_old(l, behind - most, l->new_pos + n - most, most, true, err);
        }
    }
    delta_aside_end(&l->stream, &aside);
    return r;
}

/* Reads the bytes that the copies before and behind the run would put at literal `into` of n. */
static int read_old(struct delta_literals *l, uint64_t into, uint64_t n, struct hf_err *err)
{
    struct delta_old *old = l->shared.old;
    int r = delta_old_read(old, l->before_old + into, l->around[0], OLD_AT_ONCE + 4, err);

    return r < 0 ? r : delta_old_read(old, l->behind_old - n + into, l->around[1], OLD_AT_ONCE + 4, err);
}

/* ---- a run ----------------------------------------------------------------------------------------------------- */

/* The current run. */
struct literal_run {
    uint64_t n, at, read_at; /* size, position, start of l->around */
    uint64_t piece_ends;     /* position at which the next piece begins */
    bool judged;             /* encoding: judge the piece that ends there */
    uint64_t bits;
};

static int put(struct delta_literals *l, struct literal_run *run, const unsigned char *bytes, size_t n,
               struct hf_err *err)
{
    run->at += n;
    l->new_pos += n;
    if (l->truth != NULL)
        l->truth += n;
    return l->queue != NULL ? delta_literal_queue_put(l->queue, bytes, n, err) : 0;
}

/* Marks the piece for raw storage, when the block is coded again, if that takes less space. */
static void judge_piece(struct delta_literals *l, struct literal_run *run)
{
    if (run->judged && delta_cm_bits(l->cm) - run->bits + 8 > 8 * (run->at - run->piece_ends + DELTA_LITERAL_PIECE)) {
        unsigned i = l->pieces - 1;
        l->options->plain[i / 8] |= (unsigned char)(1u << i % 8);
        l->options->plain_n++;
    }
    run->judged = false;
}

/* At the start of a piece, codes whether it is stored raw. */
static bool is_plain_piece(struct delta_literals *l, struct literal_run *run)
{
    if (run->n - run->at < DELTA_LITERAL_PIECE) {
        run->piece_ends = run->n;
        return false;
    }
    unsigned i = l->pieces++, plain = 0;
    if (l->options != NULL)
        plain = (unsigned)l->options->plain[i / 8] >> i % 8 & 1;
    if (delta_bit_code(l->cm, &l->plain_state, plain) != 0)
        return true;
    run->piece_ends = run->at + DELTA_LITERAL_PIECE;
    run->judged = l->options != NULL;
    run->bits = run->judged ? delta_cm_bits(l->cm) : 0;
    return false;
}

static int code_plain_piece(struct delta_literals *l, struct literal_run *run, struct hf_err *err)
{
    unsigned char bytes[DELTA_LITERAL_PIECE];

    if (l->truth != NULL)
        memcpy(bytes, l->truth, DELTA_LITERAL_PIECE);
    delta_stream_plain(&l->stream, l->cm, bytes, DELTA_LITERAL_PIECE);
    return put(l, run, bytes, DELTA_LITERAL_PIECE, err);
}

/* Codes a byte or a word. */
static int code_literal(struct delta_literals *l, struct literal_run *run, struct hf_err *err)
{
    unsigned char bytes[4];
    int r;

    if ((run->at == 0 || run->at - run->read_at >= OLD_AT_ONCE) &&
        (r = read_old(l, run->read_at = run->at, run->n, err)) < 0)
        return r;
    uint64_t into = run->at - run->read_at;
    const unsigned char *const stands[STREAM_OLD] = {l->before_old > 0 ? l->around[0] + into : NULL,
                                                     l->behind_old > 0 ? l->around[1] + into : NULL};
    unsigned n = delta_stream_code(&l->stream, l->cm, l->truth, run->n - run->at, stands, bytes);
    return put(l, run, bytes, n, err);
}

static int code_bytes(struct delta_literals *l, struct literal_run *run, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && run->at < run->n) {
        bool plain = false;
        if (run->at >= run->piece_ends) {
            judge_piece(l, run);
            plain = is_plain_piece(l, run);
        }
        r = plain ? code_plain_piece(l, run, err) : code_literal(l, run, err);
        if (l->cm->failed != 0)
            return l->cm->failed;
    }
    judge_piece(l, run);
    l->done = l->new_pos;
    return r;
}

static int code_run(struct delta_literals *l, uint64_t n, struct hf_err *err)
{
    struct literal_run run = {.n = n};
    uint64_t ends;
    int r = delta_predictor_enter(&l->p, l->new_pos, take_segments, NULL, err);

    if (n == 0 || r < 0)
        return r;
    enum delta_order order =
        delta_order_of(l->p.image.machine, delta_image_region(&l->p.image, l->before_old - 1, &ends)->kind);
    l->stream.order = order;
    if ((r = take_before(l, err)) < 0)
        return r;
    delta_stream_go_to(&l->stream, l->new_pos);
    if (n >= AROUND_MIN && (r = learn_around(l, n, err)) < 0)
        return r;
    l->stream.order = order;
    return code_bytes(l, &run, err);
}

/* ---- a gap ----------------------------------------------------------------------------------------------------- */

/* Codes a run and the copy behind it. The encoder passes the copy, which does not begin before the position. */
static int code_copy(struct delta_literals *l, uint64_t gap_end, const struct delta_copy *copy,
                     struct delta_literal_run *ret_head, struct hf_err *err)
{
    uint64_t room = gap_end - l->new_pos;
    uint64_t literals = delta_number_code(l->cm, &l->skip, copy->new_pos - l->new_pos);
    uint64_t length = delta_number_code(l->cm, &l->length, copy->len);
    uint64_t expected = l->drift + l->new_pos + literals;
    uint64_t jump = delta_number_code(l->cm, &l->jump, delta_zigzag((int64_t)(copy->old_pos - expected)));
    uint64_t old_pos = expected + (uint64_t)delta_unzigzag(jump);

    if (l->cm->failed != 0)
        return l->cm->failed;
    if (literals > room || length > room - literals || length == 0 || old_pos > l->shared.old_size ||
        length > l->shared.old_size - old_pos)
        return hf_err_set(err, EBADMSG, "delta is damaged: a copy exceeds its file");
    l->drift = old_pos - (l->new_pos + literals);
    *ret_head = (struct delta_literal_run){old_pos, (uint32_t)literals, (uint32_t)length};
    return 0;
}

/* Codes one run of the gap that ends at gap_end, and the copy behind it if there is one. `behind_old` is the old
 * position after the gap. */
static int code_part(struct delta_literals *l, uint64_t gap_end, uint64_t behind_old, const struct delta_copy *copy,
                     struct hf_err *err)
{
    struct delta_literal_run head = {.literals = (uint32_t)(gap_end - l->new_pos)};
    struct delta_copy none = {l->new_pos, 0, 0};
    int r = 0;

    if (delta_bit_code(l->cm, &l->copy_state, copy != NULL) != 0)
        r = code_copy(l, gap_end, copy != NULL ? copy : &none, &head, err);
    if (l->cm->failed != 0)
        r = l->cm->failed;
    if (r == 0 && l->queue != NULL)
        r = delta_literal_queue_put(l->queue, &head, sizeof(head), err);
    l->behind_old = head.copied > 0 ? head.old_pos : behind_old;
    if (r == 0)
        r = code_run(l, head.literals, err);
    if (head.copied > 0) {
        l->before_old = head.old_pos + head.copied;
        l->new_pos += head.copied;
        if (l->truth != NULL)
            l->truth += head.copied;
    }
    return r;
}

/* Returns the old position that continues the copy before a position in a gap. */
static uint64_t old_before(const struct delta_map *map, const struct delta_map_entry *next, uint64_t new_pos,
                           uint64_t old_size)
{
    if (next == map->p)
        return 0;
    uint64_t old_pos = (uint64_t)next[-1].old_pos + (new_pos - next[-1].new_pos);
    return old_pos <= old_size ? old_pos : 0;
}

static int code_gaps(struct delta_literals *l, uint64_t start, uint64_t end, const struct delta_copies *copies,
                     bool *ret_coded, struct hf_err *err)
{
    const struct delta_map *map = &l->shared.map;
    const struct delta_map_entry *e = delta_map_at(map, start), *last = map->p + map->n;
    const unsigned char *truth = l->truth;
    size_t next = 0;
    int r = 0;

    *ret_coded = false;
    for (l->new_pos = start; r == 0 && l->new_pos < end; e++) {
        uint64_t gap_end = e < last ? HF_MIN((uint64_t)e->new_pos, end) : end;
        l->before_old = old_before(map, e, l->new_pos, l->shared.old_size);
        while (r == 0 && l->new_pos < gap_end) {
            struct delta_copy copy;
            bool copied = truth != NULL && delta_copies_next_inline(copies, &next, l->new_pos, gap_end, &copy);
            *ret_coded = true;
            r = code_part(l, gap_end, e < last ? e->old_pos : 0, copied ? &copy : NULL, err);
        }
        if (e < last)
            l->new_pos = (uint64_t)e->new_pos + e->len;
        if (truth != NULL)
            l->truth = truth + (l->new_pos - start);
    }
    return r;
}

int delta_literals_encode(struct delta_literals *l, struct delta_cm *cm, uint64_t start, uint64_t end,
                          const unsigned char *truth, const struct delta_copies *copies, bool *ret_coded,
                          struct hf_err *err)
{
    l->cm = cm;
    l->queue = NULL;
    l->truth = truth;
    return code_gaps(l, start, end, copies, ret_coded, err);
}

int delta_literals_decode(struct delta_literals *l, struct delta_cm *cm, uint64_t start, uint64_t end,
                          struct delta_literal_queue *queue, struct hf_err *err)
{
    static const struct delta_copies none;
    bool ignored;

    l->cm = cm;
    l->queue = queue;
    l->truth = NULL;
    return code_gaps(l, start, end, &none, &ignored, err);
}
