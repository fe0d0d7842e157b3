/* SPDX-License-Identifier: Apache-2.0 */
/* Method 4: runs of equal old bytes, and raw bytes. Without coder and tables, for changes so small that those cost
 * more than the change. A rebuilt executable often differs in little more than its build ID, which occurs a second
 * time as hex digits in the name of its debug file. */
#include <errno.h>

#include "base/encoding/hex.h"
#include "delta/create.h"
#include "delta/match/extend.h"
#include "delta/methods.h"

/* First byte of an operation: number of equal bytes (upper half), a bit for a jump in the old file, number of fresh
 * bytes. */
enum {
    SAME_SHIFT = 4,
    SAME_MORE = 15,
    JUMPS = 8,
    FRESH_MASK = 7,
    FRESH_MORE = 6,
    FRESH_REPEAT = 7,
    HISTORY = 1024, /* fresh bytes that a repeat can refer to */
};

/* ---- apply ----------------------------------------------------------------------------------------------------- */

struct runs_decoder {
    uint64_t made;  /* bytes of the new file, including those before the resume point */
    uint64_t fresh; /* bytes that passed through the history */
    size_t kept;    /* bytes made but not yet written: operations may be short */
    unsigned char history[HISTORY], bytes[16384];
};

/* Form of the bytes after the equal ones: raw, hex digits of earlier fresh bytes, or a repetition with a period. */
enum fresh_form { FRESH_RAW, FRESH_HEX, FRESH_PERIODIC };

/* One operation. */
struct run_op {
    uint64_t same, fresh, distance, jump;
    enum fresh_form form;
};

static int flush_made(struct delta_apply_state *apply, struct runs_decoder *u, struct hf_err *err)
{
    bool known = delta_apply_skips_block(apply, u->made - 1);
    int r = known ? 0 : delta_output_write(&apply->output, u->bytes, u->kept, err);

    u->kept = 0;
    return r == 0 && !known && u->made % DELTA_BLOCK == 0 ? delta_apply_checkpoint(apply, err) : r;
}

/* Accepts the next n bytes, which follow the buffered ones and do not cross a block's border. */
static int emit(struct delta_apply_state *apply, struct runs_decoder *u, size_t n, struct hf_err *err)
{
    u->made += n;
    u->kept += n;
    bool full = u->kept == sizeof(u->bytes) || u->made % DELTA_BLOCK == 0 || u->made == apply->header.new_size;
    return full ? flush_made(apply, u, err) : 0;
}

/* Makes n hex digits of the history, from digit `done` on. */
static void read_hex(struct runs_decoder *u, uint64_t from, uint64_t done, size_t n)
{
    for (size_t i = 0; i < n; i++, done++) {
        unsigned byte = u->history[(from + done / 2) % HISTORY];
        u->bytes[u->kept + i] = (unsigned char)hf_hex_digits[done % 2 == 0 ? byte >> 4 : byte & 15];
    }
}

static void read_period(struct runs_decoder *u, uint64_t distance, uint64_t done, size_t n)
{
    for (size_t i = 0; i < n; i++, done++)
        u->bytes[u->kept + i] = u->history[(u->fresh - distance + done % distance) % HISTORY];
}

static int read_fresh(struct delta_apply_state *apply, struct runs_decoder *u, size_t n, struct hf_err *err)
{
    int r = delta_input_read(apply->input, u->bytes + u->kept, n, err);

    for (size_t i = 0; r == 0 && i < n; i++)
        u->history[u->fresh++ % HISTORY] = u->bytes[u->kept + i];
    return r;
}

/* Returns the number of remaining bytes that fit at once. */
static size_t next_part(const struct runs_decoder *u, uint64_t left)
{
    return (size_t)HF_MIN(HF_MIN(left, DELTA_BLOCK - u->made % DELTA_BLOCK), (uint64_t)(sizeof(u->bytes) - u->kept));
}

static int apply_op(struct delta_apply_state *apply, struct runs_decoder *u, const struct run_op *op, uint64_t old_pos,
                    struct hf_err *err)
{
    uint64_t from = u->fresh - op->distance;
    int r = 0;

    for (uint64_t done = 0, n; r == 0 && done < op->same; done += n) {
        n = next_part(u, op->same - done);
        r = delta_old_read(apply->old, old_pos + done, u->bytes + u->kept, (size_t)n, err);
        if (r == 0)
            r = emit(apply, u, (size_t)n, err);
    }
    for (uint64_t done = 0, n; r == 0 && done < op->fresh; done += n) {
        n = next_part(u, op->fresh - done);
        if (op->form == FRESH_HEX)
            read_hex(u, from, done, (size_t)n);
        else if (op->form == FRESH_PERIODIC)
            read_period(u, op->distance, done, (size_t)n);
        else
            r = read_fresh(apply, u, (size_t)n, err);
        if (r == 0)
            r = emit(apply, u, (size_t)n, err);
    }
    return r;
}

/* Reads a repeat of earlier fresh bytes: the distance selects them, its lowest bit the form. */
static int read_repeat(struct delta_apply_state *apply, struct run_op *op, uint64_t room, struct hf_err *err)
{
    uint64_t n = 0;
    int r = delta_input_varint(apply->input, 2 * HISTORY + 1, &n, err);

    if (r < 0)
        return r;
    op->form = n % 2 == 0 ? FRESH_HEX : FRESH_PERIODIC;
    op->distance = n / 2;
    r = delta_input_varint(apply->input, room, &n, err);
    op->fresh = op->form == FRESH_HEX ? 2 * n : n;
    if (r == 0 && (op->distance == 0 || (op->form == FRESH_HEX && n > op->distance)))
        r = hf_err_set(err, EBADMSG, "delta is damaged: invalid run");
    return r;
}

static int read_op(struct delta_apply_state *apply, struct runs_decoder *u, struct run_op *op, struct hf_err *err)
{
    uint64_t room = apply->header.new_size - u->made, more = 0;
    unsigned char token;

    *op = (struct run_op){.same = room};
    if (apply->input->left == 0) /* the remainder is equal */
        return 0;
    int r = delta_input_read(apply->input, &token, 1, err);
    if (r < 0)
        return r;
    *op = (struct run_op){.same = token >> SAME_SHIFT, .fresh = token & FRESH_MASK};
    if (op->same == SAME_MORE && (r = delta_input_varint(apply->input, room, &more, err)) == 0)
        op->same += more;
    if (r == 0 && op->fresh == FRESH_REPEAT)
        r = read_repeat(apply, op, room, err);
    else if (r == 0 && op->fresh == FRESH_MORE && (r = delta_input_varint(apply->input, room, &more, err)) == 0)
        op->fresh += more;
    if (r == 0 && (token & JUMPS) != 0)
        r = delta_input_varint(apply->input, UINT64_MAX, &op->jump, err);
    if (r < 0)
        return r;
    if (op->same > room || op->fresh > room - op->same || op->distance > u->fresh)
        return hf_err_set(err, EBADMSG, "delta is damaged: invalid run");
    return 0;
}

static int apply_ops(struct delta_apply_state *apply, struct runs_decoder *u, struct hf_err *err)
{
    uint64_t old_pos = 0;
    struct run_op op;
    int r;

    while (u->made < apply->header.new_size) {
        if ((r = read_op(apply, u, &op, err)) < 0)
            return r;
        if (op.same > 0 && (old_pos > apply->old->size || op.same > apply->old->size - old_pos))
            return hf_err_set(err, EBADMSG, "delta is damaged: a copy exceeds its file");
        if ((r = apply_op(apply, u, &op, old_pos, err)) < 0)
            return r;
        old_pos += op.same + op.fresh + (uint64_t)delta_unzigzag(op.jump);
    }
    return 0;
}

int delta_apply_runs(struct delta_apply_state *apply, struct hf_err *err)
{
    struct runs_decoder *u = malloc(sizeof(*u));
    int r;

    if (u == NULL)
        return delta_no_memory(err);
    u->made = u->fresh = u->kept = 0;
    r = apply_ops(apply, u, err);
    free(u);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct runs_encoder {
    const struct delta_make *make;
    struct hf_buf *body;
    /* the current run: new[same_from..same_from + same) equals old from old_pos on */
    uint64_t old_pos, same_from, same;
    uint64_t fresh;
    unsigned char history[HISTORY];
};

static int add_number(struct runs_encoder *k, uint64_t value)
{
    unsigned char bytes[10];

    return hf_buf_add(k->body, bytes, delta_put_varint(bytes, value));
}

/* `bytes` are the fresh bytes; NULL for a repeat. */
static int add_op(struct runs_encoder *k, const struct run_op *op, const unsigned char *bytes)
{
    bool again = op->form != FRESH_RAW;
    unsigned same = (unsigned)HF_MIN(op->same, (uint64_t)SAME_MORE);
    unsigned fresh = again ? (unsigned)FRESH_REPEAT : (unsigned)HF_MIN(op->fresh, (uint64_t)FRESH_MORE);
    unsigned char token = (unsigned char)(same << SAME_SHIFT | (op->jump != 0 ? JUMPS : 0) | fresh);
    int r = hf_buf_add(k->body, &token, 1);

    if (r == 0 && same == SAME_MORE)
        r = add_number(k, op->same - SAME_MORE);
    if (r == 0 && again)
        r = add_number(k, 2 * op->distance + (op->form == FRESH_PERIODIC));
    if (r == 0 && again)
        r = add_number(k, op->form == FRESH_HEX ? op->fresh / 2 : op->fresh);
    else if (r == 0 && fresh == FRESH_MORE)
        r = add_number(k, op->fresh - FRESH_MORE);
    if (r == 0 && op->jump != 0)
        r = add_number(k, op->jump);
    if (r == 0 && bytes != NULL && op->fresh > 0)
        r = hf_buf_add(k->body, bytes, (size_t)op->fresh);
    for (uint64_t i = 0; r == 0 && bytes != NULL && i < op->fresh; i++)
        k->history[k->fresh++ % HISTORY] = bytes[i];
    return r;
}

/* Returns the number of fresh bytes from `distance` back whose hex digits are p[0..n). */
static uint64_t hex_length(const struct runs_encoder *k, const unsigned char *p, uint64_t n, uint64_t distance)
{
    uint64_t i = 0;

    for (; 2 * i + 1 < n && i < distance; i++) {
        int high = hf_hex_value((char)p[2 * i]), low = hf_hex_value((char)p[2 * i + 1]);
        if (high < 0 || low < 0 || k->history[(k->fresh - distance + i) % HISTORY] != (unsigned)(high << 4 | low))
            break;
    }
    return i;
}

enum { WORTH_IT = 6 /* bytes in hex */ };

/* Returns the first position in new[from..to) with enough digits in a row, or `to`. */
static uint64_t find_digits(const unsigned char *p, uint64_t from, uint64_t to)
{
    for (uint64_t at; from + 2 * WORTH_IT <= to; from = at + 1) {
        at = from + 2 * WORTH_IT;
        while (at > from && hf_hex_value((char)p[at - 1]) >= 0)
            at--;
        if (at == from)
            return from;
        at--; /* not a digit */
    }
    return to;
}

/* Finds the first position in new[from..to) that repeats fresh bytes in hex, and fills *op. Digits may equal old
 * bytes by chance. */
static uint64_t find_hex(const struct runs_encoder *k, uint64_t from, uint64_t to, struct run_op *op)
{
    const unsigned char *p = k->make->new_bytes;

    for (from = find_digits(p, from, to); from < to; from = find_digits(p, from + 1, to)) {
        unsigned first = (unsigned)(hf_hex_value((char)p[from]) << 4 | hf_hex_value((char)p[from + 1]));
        for (uint64_t distance = 1; distance <= HF_MIN(k->fresh, (uint64_t)HISTORY); distance++) {
            if (k->history[(k->fresh - distance) % HISTORY] != first)
                continue;
            uint64_t n = hex_length(k, p + from, to - from, distance);
            if (n >= WORTH_IT) {
                *op = (struct run_op){.form = FRESH_HEX, .distance = distance, .fresh = 2 * n};
                return from;
            }
        }
    }
    return to;
}

/* Returns the number of bytes from p[at] on, up to `to`, that equal those `distance` before. */
static uint64_t repeated(const unsigned char *p, uint64_t at, uint64_t to, uint64_t distance)
{
    uint64_t n = 0;

    while (at + n < to && p[at + n] == p[at + n - distance])
        n++;
    return n;
}

/* Finds the first position in new[from..to) where the bytes before it repeat with a short period; `known` bytes
 * before `from` are fresh. */
static uint64_t find_period(const struct runs_encoder *k, uint64_t from, uint64_t to, uint64_t known, struct run_op *op)
{
    enum { WORTH_TELLING = 12, DISTANCE_MAX = 16 };
    const unsigned char *p = k->make->new_bytes;

    for (uint64_t at = from; at + WORTH_TELLING <= to; at++)
        for (uint64_t distance = 1; distance <= HF_MIN(known + at - from, (uint64_t)DISTANCE_MAX); distance++)
            if (repeated(p, at, at + WORTH_TELLING, distance) == WORTH_TELLING) {
                *op = (struct run_op){.form = FRESH_PERIODIC, .distance = distance};
                return at;
            }
    return to;
}

/* Selects the next operation for the fresh bytes new[at..to), and fills *op except `same`. `known` bytes before `at`
 * are raw. -E2BIG if the raw bytes exceed the limit of the body. */
static int next_piece(const struct runs_encoder *k, uint64_t at, uint64_t to, uint64_t known, struct run_op *op)
{
    const unsigned char *p = k->make->new_bytes;
    uint64_t limit = HF_MIN(to, at + k->body->max + 1);
    struct run_op again = {.same = 0}, hex = {.same = 0};
    uint64_t again_at = find_period(k, at, limit, known, &again), hex_at = find_hex(k, at, limit, &hex);

    if (again_at == at) {
        *op = again;
        op->fresh = repeated(p, at, to, op->distance);
    } else if (hex_at == at) {
        *op = hex;
    } else {
        *op = (struct run_op){.fresh = HF_MIN(again_at, hex_at) - at};
    }
    return op->form == FRESH_RAW && op->fresh > k->body->max ? -E2BIG : 0;
}

/* Writes the current run and the fresh bytes after it up to new_pos, and starts a run at old_pos. Omits equal bytes
 * at the end of the file. */
static int end_run(struct runs_encoder *k, uint64_t new_pos, uint64_t old_pos)
{
    const unsigned char *p = k->make->new_bytes;
    uint64_t at = k->same_from + k->same, back = HF_MIN(k->same, UINT64_C(2)), known = 0,
             old_end = k->old_pos + (new_pos - k->same_from), same = k->same;
    bool last = new_pos == k->make->new_n;
    uint64_t jump = last ? 0 : delta_zigzag((int64_t)(old_pos - old_end));
    struct run_op op;
    int r = 0;

    /* a hex digit or two may equal the old bytes by chance */
    if (k->fresh > 0 && new_pos > at) {
        uint64_t from = find_hex(k, at - back, HF_MIN(new_pos, at + k->body->max), &op);
        if (from < at) {
            same -= at - from;
            at = from;
        }
    }
    while (r == 0 && at < new_pos && (r = next_piece(k, at, new_pos, known, &op)) == 0) {
        bool fresh = op.form == FRESH_RAW;
        op.same = same;
        op.jump = at + op.fresh == new_pos ? jump : 0;
        r = add_op(k, &op, fresh ? p + at : NULL);
        known = fresh ? known + op.fresh : 0;
        at += op.fresh;
        same = 0;
    }
    if (r == 0 && k->same_from + k->same == new_pos && !last && (same > 0 || jump != 0)) {
        op = (struct run_op){.same = same, .jump = jump};
        r = add_op(k, &op, NULL);
    }
    k->old_pos = old_pos;
    k->same_from = new_pos;
    k->same = 0;
    return r;
}

/* Adds the equal stretches of a copy that are worth a run. */
static int add_copy(struct runs_encoder *k, const struct delta_copy *copy)
{
    enum { WORTH = 4 };
    const unsigned char *old = k->make->old + copy->old_pos, *now = k->make->new_bytes + copy->new_pos;
    int r;

    for (uint64_t i = 0; i < copy->len;) {
        size_t left = (size_t)(copy->len - i), n = delta_common_prefix(old + i, left, now + i, left);
        if (n >= WORTH) {
            if ((r = end_run(k, copy->new_pos + i, copy->old_pos + i)) < 0)
                return r;
            k->same = n;
        }
        i += n;
        while (i < copy->len && old[i] != now[i])
            i++;
    }
    return 0;
}

int delta_make_runs(const struct delta_make *make, struct hf_buf *body)
{
    struct runs_encoder k = {.make = make, .body = body};
    int r = 0;

    for (size_t i = 0; r == 0 && i < make->copies.n; i++)
        r = add_copy(&k, &make->copies.p[i]);
    return r == 0 && make->new_n > 0 ? end_run(&k, make->new_n, 0) : r;
}

int delta_make_stored(const struct delta_make *make, struct hf_buf *body)
{
    struct runs_encoder k = {.make = make, .body = body};
    const unsigned char token = FRESH_MORE;
    int r = hf_buf_add(body, &token, 1);

    if (r == 0)
        r = add_number(&k, make->new_n - FRESH_MORE);
    return r == 0 ? hf_buf_add(body, make->new_bytes, make->new_n) : r;
}
