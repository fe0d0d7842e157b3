/* Method 1: records behind zstd. One frame per block of 4 MiB of output, so that a block can be taken up again; inside a
 * frame chunks of 64 KiB of output, each whole in memory: control numbers, then differing bytes, then literal bytes. */
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "delta/create.h"

enum {
    CHUNK = 1 << 16,               /* bytes of output one chunk makes */
    CHUNK_DATA = 3 * CHUNK + 4096, /* bytes a chunk may have in the frame */
    WINDOW_LOG = 19,
};

/* ---- apply ----------------------------------------------------------------------------------------------------- */

struct unpack {
    ZSTD_DCtx *context;
    uint64_t left; /* bytes of the block still in the patch */
    ZSTD_inBuffer in;
    unsigned char packed[16384];
    unsigned char data[CHUNK_DATA];
    unsigned char made[CHUNK];
    uint64_t old_at; /* where a copy goes on when its seek is zero */
};

static int unpack_bytes(struct delta_run *run, struct unpack *u, unsigned char *to, size_t n, struct hf_err *err)
{
    ZSTD_outBuffer out = {to, n, 0};

    while (out.pos < n) {
        size_t before = out.pos;
        if (u->in.pos == u->in.size && u->left > 0) {
            size_t part = (size_t)HF_MIN((uint64_t)sizeof(u->packed), u->left);
            int r = delta_input_read(run->input, u->packed, part, err);
            if (r < 0)
                return r;
            u->left -= part;
            u->in = (ZSTD_inBuffer){u->packed, part, 0};
        }
        size_t in_before = u->in.pos, result = ZSTD_decompressStream(u->context, &out, &u->in);
        if (ZSTD_isError(result))
            return hf_err_set(err, EBADMSG, "delta is damaged: %s", ZSTD_getErrorName(result));
        if (out.pos == before && u->in.pos == in_before && u->left == 0)
            return hf_err_set(err, EBADMSG, "delta is damaged: a block ends too early");
    }
    return 0;
}

static int unpack_varint(struct delta_run *run, struct unpack *u, uint64_t *ret_value, struct hf_err *err)
{
    unsigned char bytes[10];
    const unsigned char *p = bytes;
    unsigned n = 0;

    do {
        int r = unpack_bytes(run, u, &bytes[n], 1, err);
        if (r < 0)
            return r;
    } while ((bytes[n++] & 0x80) != 0 && n < sizeof(bytes));
    if (!delta_get_varint(&p, bytes + n, ret_value))
        return hf_err_set(err, EBADMSG, "delta is damaged: bad number in a block");
    return 0;
}

struct chunk {
    const unsigned char *control, *control_end, *diff, *diff_end, *literal, *literal_end;
};

static int damaged_chunk(struct hf_err *err)
{
    return hf_err_set(err, EBADMSG, "delta is damaged: a chunk contradicts itself");
}

/* Old bytes are in `bytes`; add what differs: pairs {equal bytes, differing bytes} until n are done. */
static int add_diff(struct chunk *c, unsigned char *bytes, size_t n, struct hf_err *err)
{
    for (size_t at = 0; at < n;) {
        uint64_t equal, differing;
        if (!delta_get_varint(&c->control, c->control_end, &equal) || equal > n - at)
            return damaged_chunk(err);
        at += equal;
        if (at == n)
            break;
        if (!delta_get_varint(&c->control, c->control_end, &differing) || differing > n - at || differing == 0 ||
            differing > (uint64_t)(c->diff_end - c->diff))
            return damaged_chunk(err);
        for (uint64_t i = 0; i < differing; i++)
            bytes[at++] += *c->diff++;
    }
    return 0;
}

static int make_chunk(struct delta_run *run, struct unpack *u, struct chunk *c, size_t want, struct hf_err *err)
{
    for (size_t at = 0; at < want;) {
        uint64_t copy, literal, seek;
        int r;
        if (!delta_get_varint(&c->control, c->control_end, &copy) ||
            !delta_get_varint(&c->control, c->control_end, &literal) ||
            !delta_get_varint(&c->control, c->control_end, &seek) || copy > want - at || literal > want - at - copy ||
            copy + literal == 0 || literal > (uint64_t)(c->literal_end - c->literal))
            return damaged_chunk(err);
        u->old_at += (uint64_t)delta_unzigzag(seek);
        if (copy > 0 && (u->old_at > run->old->size || copy > run->old->size - u->old_at))
            return hf_err_set(err, EBADMSG, "delta is damaged: it copies from outside the old file");
        if (copy > 0 && ((r = delta_old_read(run->old, u->old_at, u->made + at, copy, err)) < 0 ||
                         (r = add_diff(c, u->made + at, copy, err)) < 0))
            return r;
        u->old_at += copy;
        at += copy;
        memcpy(u->made + at, c->literal, literal);
        c->literal += literal;
        at += literal;
    }
    return c->control == c->control_end && c->diff == c->diff_end && c->literal == c->literal_end ? 0
                                                                                                  : damaged_chunk(err);
}

static int apply_chunk(struct delta_run *run, struct unpack *u, size_t want, struct hf_err *err)
{
    uint64_t control, diff, literal;
    struct chunk c;
    int r;

    if ((r = unpack_varint(run, u, &control, err)) < 0 || (r = unpack_varint(run, u, &diff, err)) < 0 ||
        (r = unpack_varint(run, u, &literal, err)) < 0)
        return r;
    if (control > CHUNK_DATA || diff > CHUNK || literal > CHUNK || control + diff + literal > CHUNK_DATA)
        return damaged_chunk(err);
    if ((r = unpack_bytes(run, u, u->data, control + diff + literal, err)) < 0)
        return r;
    c.control = u->data;
    c.diff = c.control_end = u->data + control;
    c.literal = c.diff_end = c.diff + diff;
    c.literal_end = c.literal + literal;
    r = make_chunk(run, u, &c, want, err);
    return r < 0 ? r : delta_output_write(&run->output, u->made, want, err);
}

static int apply_block(struct delta_run *run, struct unpack *u, uint64_t block_end, struct hf_err *err)
{
    int r = 0;

    ZSTD_DCtx_reset(u->context, ZSTD_reset_session_only);
    u->in = (ZSTD_inBuffer){u->packed, 0, 0};
    u->old_at = 0;
    while (r == 0 && run->output.written < block_end)
        r = apply_chunk(run, u, (size_t)HF_MIN(block_end - run->output.written, (uint64_t)CHUNK), err);
    if (r == 0 && u->left > 0) { /* the frame's end mark may be all that is left */
        size_t part = (size_t)u->left;
        r = part <= sizeof(u->packed) ? delta_input_read(run->input, u->packed, part, err) : damaged_chunk(err);
    }
    return r;
}

int delta_apply_zstd(struct delta_run *run, struct hf_err *err)
{
    struct unpack *u = malloc(sizeof(*u));
    uint64_t start = 0, end;
    int r = 0;

    if (u == NULL || (u->context = ZSTD_createDCtx()) == NULL) {
        free(u);
        return delta_no_memory(err);
    }
    (void)ZSTD_DCtx_setParameter(u->context, ZSTD_d_windowLogMax, WINDOW_LOG);
    for (; r == 0 && start < run->header.new_size; start = end) {
        end = HF_MIN(start + DELTA_BLOCK, run->header.new_size);
        if ((r = delta_input_varint(run->input, run->input->left, &u->left, err)) < 0)
            break;
        if (delta_run_skips(run, start))
            r = delta_input_skip(run->input, u->left, err);
        else if ((r = apply_block(run, u, end, err)) == 0)
            r = delta_run_checkpoint(run, err);
    }
    (void)ZSTD_freeDCtx(u->context);
    free(u);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct pack {
    struct hf_buf control, diff, literal, frame;
    uint64_t old_at;
};

static int add_varint(struct hf_buf *buf, uint64_t value)
{
    unsigned char bytes[10];

    return hf_buf_add(buf, bytes, delta_put_varint(bytes, value));
}

static int pack_diff(struct pack *k, const unsigned char *old, const unsigned char *new_bytes, size_t n)
{
    unsigned char byte;
    size_t at = 0, from;
    int r = 0;

    while (r == 0 && at < n) {
        for (from = at; at < n && old[at] == new_bytes[at];)
            at++;
        r = add_varint(&k->control, at - from);
        if (r < 0 || at == n)
            return r;
        for (from = at; at < n && old[at] != new_bytes[at];)
            at++;
        r = add_varint(&k->control, at - from);
        for (; r == 0 && from < at; from++) {
            byte = (unsigned char)(new_bytes[from] - old[from]);
            r = hf_buf_add(&k->diff, &byte, 1);
        }
    }
    return r;
}

/* The records that make new[start..end). *next is the first copy that may reach into it. */
static int pack_chunk(const struct delta_make *make, struct pack *k, uint64_t start, uint64_t end, size_t *next)
{
    uint64_t at = start;
    int r = 0;

    while (r == 0 && at < end) {
        const struct delta_copy *c = *next < make->copies.n ? &make->copies.p[*next] : NULL;
        uint64_t copy = 0, literal, from = k->old_at;
        if (c != NULL && c->new_pos <= at) {
            copy = HF_MIN(c->new_pos + c->len, end) - at;
            from = c->old_pos + (at - c->new_pos);
            if (c->new_pos + c->len <= end)
                c = ++*next < make->copies.n ? c + 1 : NULL;
        }
        literal = (c != NULL ? HF_MAX(HF_MIN(c->new_pos, end), at + copy) : end) - at - copy;
        if ((r = add_varint(&k->control, copy)) < 0 || (r = add_varint(&k->control, literal)) < 0 ||
            (r = add_varint(&k->control, delta_zigzag((int64_t)(from - k->old_at)))) < 0)
            return r;
        if (copy > 0 && (r = pack_diff(k, make->old + from, make->new_bytes + at, copy)) < 0)
            return r;
        k->old_at = from + copy;
        r = hf_buf_add(&k->literal, make->new_bytes + at + copy, literal);
        at += copy + literal;
    }
    return r;
}

static int pack_block(const struct delta_make *make, struct pack *k, uint64_t start, uint64_t end, size_t *next)
{
    int r = 0;

    hf_buf_clear(&k->frame);
    k->old_at = 0;
    for (uint64_t at = start; r == 0 && at < end; at += CHUNK) {
        hf_buf_clear(&k->control);
        hf_buf_clear(&k->diff);
        hf_buf_clear(&k->literal);
        if ((r = pack_chunk(make, k, at, HF_MIN(at + CHUNK, end), next)) < 0 ||
            (r = add_varint(&k->frame, k->control.n)) < 0 || (r = add_varint(&k->frame, k->diff.n)) < 0 ||
            (r = add_varint(&k->frame, k->literal.n)) < 0 ||
            (r = hf_buf_add(&k->frame, k->control.p, k->control.n)) < 0 ||
            (r = hf_buf_add(&k->frame, k->diff.p, k->diff.n)) < 0)
            return r;
        r = hf_buf_add(&k->frame, k->literal.p, k->literal.n);
    }
    return r;
}

static int squeeze(ZSTD_CCtx *context, const struct hf_buf *frame, struct hf_buf *body)
{
    size_t bound = ZSTD_compressBound(frame->n), n;
    unsigned char *packed = malloc(bound);
    int r = -ENOMEM;

    if (packed != NULL) {
        n = ZSTD_compress2(context, packed, bound, frame->p, frame->n);
        r = ZSTD_isError(n) ? -ENOMEM : add_varint(body, n);
        if (r == 0)
            r = hf_buf_add(body, packed, n);
    }
    free(packed);
    return r;
}

int delta_make_zstd(const struct delta_make *make, struct hf_buf *body, struct hf_err *err)
{
    struct pack k = {HF_BUF_INIT(SIZE_MAX / 2), HF_BUF_INIT(SIZE_MAX / 2), HF_BUF_INIT(SIZE_MAX / 2),
                     HF_BUF_INIT(SIZE_MAX / 2), 0};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t next = 0;
    int r = context != NULL ? 0 : -ENOMEM;

    if (context != NULL) {
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 19);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    }
    for (uint64_t start = 0; r == 0 && start < make->new_n; start += DELTA_BLOCK) {
        r = pack_block(make, &k, start, HF_MIN(start + DELTA_BLOCK, (uint64_t)make->new_n), &next);
        if (r == 0)
            r = squeeze(context, &k.frame, body);
    }
    (void)ZSTD_freeCCtx(context);
    hf_buf_done(&k.control);
    hf_buf_done(&k.diff);
    hf_buf_done(&k.literal);
    hf_buf_done(&k.frame);
    return r < 0 ? delta_no_memory(err) : 0;
}
