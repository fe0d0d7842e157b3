/* SPDX-License-Identifier: Apache-2.0 */
/* The coded part holds copies between the content of all old and of all new frames, then the decisions of each new
 * frame in order. Where content moved is thus known before the first frame is made.
 *
 * A frame is made while its content arrives. Its buffer holds what a match may reach back to, and what came after the
 * last block; a block is due when its content and ZCONTENT_AHEAD bytes are there. Creating reads the blocks of the new
 * frame and codes them with the same calls. */
#include "pack/zstd/decisions.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "delta/match/match.h"
#include "pack/codec/zst.h"
#include "pack/zstd/imitate.h"
#include "pack/zstd/model.h"

enum {
    COPIES_MAX = 1 << 17,
    COPY_MIN = 32,
    LOOK_BACK = 32 << 20,
    SHARED_BYTES = 14 << 20, /* the model, all copies, 64 pages, a block */
    PARAMS = 2,
};

struct zdecisions {
    struct pack_store store;
    struct pack_zold old;
    struct delta_copies copies;
    struct pack_zmodel *model; /* from the first new frame on */
    struct delta_cm cm;
    struct delta_input input;
    struct hf_delta_in in;
    struct hf_err err;             /* of `cm` */
    uint64_t coded_at, coded_left; /* in the store */
    uint64_t content_n;            /* of the new frames that are complete */
    bool open;                     /* a new frame is being made */
    struct pack_zframe_block block;
    struct pack_zframe_state state;
    unsigned char work[ZFRAME_BLOCK_MAX];
    struct hf_buf made;
};

static void zdecisions_done(void *shared)
{
    struct zdecisions *d = shared;

    if (d == NULL)
        return;
    pack_zmodel_free(d->model);
    pack_zold_done(&d->old);
    delta_copies_done(&d->copies);
    hf_buf_done(&d->made);
    free(d);
}

static int zdecisions_new(const struct pack_store *store, uint64_t at, uint64_t n, void **ret_shared,
                          struct hf_err *err)
{
    struct zdecisions *d = calloc(1, sizeof(*d));

    if (d == NULL || pack_zold_open(&d->old, store) < 0) {
        free(d);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    d->store = *store;
    d->coded_at = at;
    d->coded_left = n;
    d->made = (struct hf_buf)HF_BUF_INIT(2 * ZFRAME_BLOCK_MAX);
    *ret_shared = d;
    return 0;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static int add_copy(struct delta_copies *copies, struct delta_copy copy)
{
    if (copy.len == 0 || copy.old_pos > INT64_MAX || delta_copies_add(copies, copy) < 0)
        return copy.len == 0 || copy.old_pos > INT64_MAX ? -EBADMSG : -ENOMEM;
    return 0;
}

/* One code path for both directions, as in the model. */
static int code_copies(struct delta_cm *cm, struct delta_copies *copies)
{
    enum { COUNT, GAP, LENGTH, SHIFT, NUMBERS };
    struct delta_number number[NUMBERS];
    uint64_t new_end = 0, old_end = 0;
    int r = 0;

    for (unsigned i = 0; i < NUMBERS; i++)
        delta_number_init(&number[i]);
    uint64_t n = delta_number_code(cm, &number[COUNT], copies->n);
    if (n > COPIES_MAX)
        return -EBADMSG;
    for (size_t i = 0; r == 0 && cm->failed == 0 && i < n; i++) {
        struct delta_copy copy = cm->encoding ? copies->p[i] : (struct delta_copy){0};
        copy.new_pos = new_end + delta_number_code(cm, &number[GAP], copy.new_pos - new_end);
        copy.len = delta_number_code(cm, &number[LENGTH], copy.len);
        copy.old_pos = old_end + (uint64_t)delta_unzigzag(delta_number_code(
                                     cm, &number[SHIFT], delta_zigzag((int64_t)(copy.old_pos - old_end))));
        if (!cm->encoding)
            r = add_copy(copies, copy);
        new_end = copy.new_pos + copy.len;
        old_end = copy.old_pos + copy.len;
    }
    return cm->failed != 0 ? cm->failed : r;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static bool head_of(const unsigned char params[static PARAMS], uint64_t content_n, struct pack_zframe_head *ret_head)
{
    *ret_head = (struct pack_zframe_head){params[0], params[1], .content_n = UINT64_MAX};
    if (pack_zframe_head_derive(ret_head))
        return true;
    ret_head->content_n = content_n;
    return pack_zframe_head_derive(ret_head);
}

/* Bytes of content that a frame looks back to. */
static uint64_t look_back(const struct pack_zframe_head *head, uint64_t content_n)
{
    return HF_MIN(HF_MIN(head->window_n, content_n), (uint64_t)LOOK_BACK);
}

static uint64_t buffer_bytes(uint64_t back, uint64_t content_n)
{
    return HF_MIN(content_n, back + back / 16 + 2 * ZFRAME_BLOCK_MAX) + ZCONTENT_AHEAD;
}

static int begin(struct zdecisions *d, struct hf_err *err)
{
    int r = code_copies(&d->cm, &d->copies);

    if (r == 0 && (d->model = pack_zmodel_new(&d->old, &d->copies)) == NULL)
        r = -ENOMEM;
    return r < 0 ? hf_err_sys(err, r, "read the copies between zstd frames") : 0;
}

static int open_frame(struct zdecisions *d, const struct pack_zframe_head *head, bool imitated)
{
    memset(&d->state, 0, sizeof(d->state));
    d->block.last = false;
    return pack_zmodel_frame(d->model, &d->cm, head->window_n, imitated);
}

/* ---- making new frames ------------------------------------------------------------------------------------------- */

static ssize_t read_coded(void *ctx, void *bytes, size_t n)
{
    struct zdecisions *d = ctx;
    ssize_t r = d->store.pread(d->store.ctx, bytes, (size_t)HF_MIN((uint64_t)n, d->coded_left), d->coded_at);

    if (r > 0) {
        d->coded_at += (uint64_t)r;
        d->coded_left -= (uint64_t)r;
    }
    return r;
}

struct zmaker {
    struct zdecisions *d;
    struct pack_sink out;
    struct pack_zframe_hash hash;
    uint64_t content_n, done; /* of the frame; in blocks that are complete */
    bool checksum, sized;     /* sized: the size of the next block is known */
    size_t back, cap, at, n;  /* buffer[0..n) is content, from `at` on not yet in a block */
    unsigned char buffer[];
};

static int misfit(struct zdecisions *d, int r, struct hf_err *err)
{
    if (d->err.code != 0 && err != NULL)
        *err = d->err;
    return d->err.code != 0 ? -d->err.code : hf_err_sys(err, r, "make a zstd frame from its decisions");
}

static void zmaker_done(void *state)
{
    free(state);
}

static int zmaker_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state,
                       struct hf_err *err)
{
    struct zdecisions *d = setup->shared;
    unsigned char bytes[ZFRAME_HEAD_MAX];
    struct pack_zframe_head head;

    if (d == NULL || d->open || setup->params_n != PARAMS || !head_of(setup->params, setup->plain_n, &head))
        return hf_err_set(err, EBADMSG, "invalid zstd frame");
    uint64_t back = look_back(&head, setup->plain_n), cap = buffer_bytes(back, setup->plain_n);
    if (d->model == NULL) {
        d->in = (struct hf_delta_in){d, read_coded};
        delta_input_init(&d->input, &d->in);
        d->input.left = d->coded_left;
        delta_cm_start_decoding(&d->cm, &d->input, d->coded_left, &d->err);
        int r = begin(d, err);
        if (r < 0)
            return r;
    }
    struct zmaker *maker = calloc(1, sizeof(*maker) + (size_t)cap);
    if (maker == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    maker->d = d;
    maker->out = *out;
    maker->content_n = setup->plain_n;
    maker->checksum = pack_zframe_head_checksum(&head);
    maker->back = (size_t)back;
    maker->cap = (size_t)cap;
    pack_zframe_hash_init(&maker->hash);
    d->open = true;
    int r = open_frame(d, &head, false);
    r = r < 0 ? misfit(d, r, err) : out->write(out->ctx, bytes, pack_zframe_head_write(&head, bytes), err);
    if (r < 0)
        free(maker);
    else
        *ret_state = maker;
    return r;
}

/* Makes the next block if its content is there: 1. 0: it is not, or the frame is complete. */
static int next_block(struct zmaker *maker, struct hf_err *err)
{
    struct zdecisions *d = maker->d;
    struct pack_zframe_block *block = &d->block;
    uint64_t rest = maker->content_n - maker->done;
    int r = 0;

    if (block->last && !maker->sized)
        return 0;
    if (!maker->sized && (r = pack_zmodel_size(d->model, &d->cm, rest, block)) < 0)
        return misfit(d, r, err);
    maker->sized = true;
    if (maker->n - maker->at < HF_MIN(rest, (uint64_t)block->content_n + ZCONTENT_AHEAD))
        return 0;
    const unsigned char *p = maker->buffer + maker->at;
    const struct pack_zcontent content = {p, (size_t)HF_MIN(maker->done, (uint64_t)maker->back), rest,
                                          d->content_n + maker->done};
    d->made.n = 0;
    r = pack_zmodel_block(d->model, &d->cm, &content, block);
    if (r == 0)
        r = pack_zframe_block_write(&d->state, block, p, d->work, &d->made);
    if (r < 0)
        return misfit(d, r, err);
    if (maker->checksum)
        pack_zframe_hash_update(&maker->hash, p, block->content_n);
    maker->at += block->content_n;
    maker->done += block->content_n;
    maker->sized = false;
    r = maker->out.write(maker->out.ctx, d->made.p, d->made.n, err);
    return r < 0 ? r : 1;
}

/* Drops what no match reaches. */
static void slide(struct zmaker *maker)
{
    size_t drop = maker->at - HF_MIN(maker->at, maker->back);

    memmove(maker->buffer, maker->buffer + drop, maker->n - drop);
    maker->at -= drop;
    maker->n -= drop;
}

static int zmaker_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct zmaker *maker = state;
    int r = 1;

    while (n > 0) {
        if (maker->n == maker->cap)
            slide(maker);
        size_t now = HF_MIN(n, maker->cap - maker->n);
        if (now == 0 || now > maker->content_n - maker->done - (maker->n - maker->at))
            return hf_err_set(err, EBADMSG, "a zstd frame gets more content than it has");
        memcpy(maker->buffer + maker->n, bytes, now);
        maker->n += now;
        bytes += now;
        n -= now;
        while ((r = next_block(maker, err)) > 0)
            ;
        if (r < 0)
            return r;
    }
    return 0;
}

static int zmaker_finish(void *state, struct hf_err *err)
{
    struct zmaker *maker = state;
    struct zdecisions *d = maker->d;
    unsigned char bytes[4];
    int r;

    while ((r = next_block(maker, err)) > 0)
        ;
    if (r < 0)
        return r;
    if (maker->sized || maker->done != maker->content_n)
        return hf_err_set(err, EBADMSG, "a zstd frame ends too early");
    d->content_n += maker->done;
    d->open = false;
    hf_put_le32(bytes, (uint32_t)pack_zframe_hash_final(&maker->hash));
    return maker->checksum ? maker->out.write(maker->out.ctx, bytes, sizeof(bytes), err) : 0;
}

static uint64_t zmaker_memory(const struct pack_setup *setup)
{
    struct pack_zframe_head head;

    if (setup->params_n != PARAMS || !head_of(setup->params, setup->plain_n, &head))
        return UINT64_MAX;
    return SHARED_BYTES + buffer_bytes(look_back(&head, setup->plain_n), setup->plain_n);
}

static int zdecisions_finish(void *shared, struct hf_err *err)
{
    struct zdecisions *d = shared;
    int r = d->model != NULL ? delta_cm_finish(&d->cm) : 0;

    return r < 0 ? misfit(d, r, err) : 0;
}

/* ---- reading old frames ------------------------------------------------------------------------------------------ */

static int take(struct pack_reader *reader, unsigned char *bytes, size_t n, struct hf_err *err)
{
    while (n > 0) {
        int r = pack_reader_fill(reader, err);
        if (r <= 0)
            return r < 0 ? r : hf_err_set(err, EBADMSG, "a zstd frame of the old file is incomplete");
        size_t now = HF_MIN(n, reader->n - reader->pos);
        memcpy(bytes, reader->buffer + reader->pos, now);
        reader->pos += now;
        bytes += now;
        n -= now;
    }
    return 0;
}

static int read_block(struct zdecisions *d, struct pack_reader *reader, struct hf_err *err)
{
    unsigned char head[ZFRAME_BLOCK_HEAD];
    size_t n;
    int r = take(reader, head, sizeof(head), err);

    if (r < 0)
        return r;
    bool good = pack_zframe_block_head(head, &d->block, &n);
    if (good && (r = take(reader, d->work, n, err)) < 0)
        return r;
    if (!good || !pack_zframe_block_read(&d->state, d->work, n, &d->block))
        return hf_err_set(err, EBADMSG, "a zstd frame of the old file cannot be taken apart");
    return pack_zold_add(&d->old, &d->block, err);
}

/* Adds the decisions of the frame that begins at `reader`. */
static int read_frame(struct zdecisions *d, struct pack_reader *reader, const struct pack_decode *decode,
                      struct hf_err *err)
{
    unsigned char bytes[ZFRAME_HEAD_MAX];
    struct pack_zframe_head head;
    size_t n = (size_t)HF_MIN(reader->end - reader->at, (uint64_t)sizeof(bytes));
    uint64_t at = reader->at;
    int r = take(reader, bytes, n, err);

    if (r < 0)
        return r;
    n = pack_zframe_head_read(bytes, n, &head);
    if (n == 0)
        return hf_err_set(err, EBADMSG, "a zstd frame of the old file cannot be taken apart");
    pack_reader_init(reader, reader->from, at + n, reader->end);
    memset(&d->state, 0, sizeof(d->state));
    pack_zold_frame(&d->old);
    for (d->block.last = false; r == 0 && !d->block.last;) {
        r = decode != NULL ? pack_decode_check_cancel(decode, err) : 0;
        if (r == 0)
            r = read_block(d, reader, err);
    }
    return r;
}

static int zdecisions_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct pack_reader reader;
    int r = decode->shared == NULL ? hf_err_set(err, EBADMSG, "invalid zstd frame")
                                   : pack_zstd_ops.decode(decode, ret_n, err);

    if (r < 0)
        return r;
    pack_reader_init(&reader, decode->from, decode->offset, decode->offset + *ret_n);
    return read_frame(decode->shared, &reader, decode, err);
}

static const struct pack_shared_ops shared_ops = {
    .make = zdecisions_new, .finish = zdecisions_finish, .done = zdecisions_done};

const struct pack_codec_ops pack_zdecisions_ops = {
    .make = zmaker_make,
    .feed = zmaker_feed,
    .finish = zmaker_finish,
    .done = zmaker_done,
    .memory = zmaker_memory,
    .decode = zdecisions_decode,
    .shared = &shared_ops,
};

/* ---- creating ---------------------------------------------------------------------------------------------------- */

void pack_zdecisions_setup(const struct pack_zpair *frame, struct pack_setup *ret_setup)
{
    struct pack_zframe_head head = {0};

    (void)pack_zframe_head_read(frame->packed, frame->packed_n, &head);
    *ret_setup = (struct pack_setup){.codec = PACK_CODEC_ZSTD_DECISIONS,
                                     .params_n = PARAMS,
                                     .params = {head.descriptor, head.window},
                                     .plain_n = frame->content_n};
}

static int join(const struct pack_zpairs *frames, struct hf_buf *content, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < frames->n; i++)
        r = hf_buf_add(content, frames->p[i].content, frames->p[i].content_n);
    return r < 0 ? hf_err_sys(err, r, "join the content of zstd frames") : 0;
}

/* The longest copies, as many as a part may hold. */
static void thin(struct delta_copies *copies)
{
    for (uint64_t least = COPY_MIN;; least += least / 4) {
        size_t n = 0;
        for (size_t i = 0; i < copies->n; i++)
            if (copies->p[i].len >= least)
                copies->p[n++] = copies->p[i];
        copies->n = n;
        if (n <= COPIES_MAX)
            return;
    }
}

static int find_copies(const struct pack_zpairs *old, const struct pack_zpairs *new_frames,
                       const struct pack_zsearch *search, struct delta_copies *copies, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf a = HF_BUF_INIT(HF_DELTA_CREATE_MAX_BYTES - 1),
                                         b = HF_BUF_INIT(HF_DELTA_CREATE_MAX_BYTES - 1);
    struct delta_copies *lists[1] = {copies};
    const struct delta_match_params params = {.min_gain = (const unsigned[]){24},
                                              .variants_n = 1,
                                              .workers = search->workers,
                                              .progress = search->progress,
                                              .progress_ctx = search->progress_ctx};
    struct delta_matcher matcher = {0};
    int r = join(old, &a, err);

    if (r == 0)
        r = join(new_frames, &b, err);
    if (r == 0 && a.n > 0)
        r = delta_matcher_open(&matcher, (const unsigned char *)a.p, a.n, (const unsigned char *)b.p, b.n, true, err);
    if (r == 0 && a.n > 0)
        r = delta_match(&matcher, &params, lists, err);
    delta_matcher_done(&matcher);
    thin(copies);
    return r;
}

static int read_old(struct zdecisions *d, const struct pack_zpair *frame, struct hf_err *err)
{
    struct hf_delta_memory memory = {frame->packed, frame->packed_n};
    const struct hf_delta_old from = {&memory, hf_delta_memory_pread, memory.n};
    struct pack_reader reader;

    pack_reader_init(&reader, &from, 0, memory.n);
    return read_frame(d, &reader, NULL, err);
}

/* Follows the imitated encoder through the frame: does it choose nearly all sequences? */
static bool is_imitated(struct zdecisions *d, const struct pack_zpair *frame, struct pack_zimitate *imitate)
{
    struct pack_zframe_head head;
    size_t at = pack_zframe_head_read(frame->packed, frame->packed_n, &head), done = 0, n, all = 0, hits = 0;
    size_t back = (size_t)look_back(&head, frame->content_n);
    struct pack_zframe_sequence guess;

    memset(&d->state, 0, sizeof(d->state));
    pack_zimitate_frame(imitate, head.window_n);
    for (d->block.last = false; !d->block.last; at += ZFRAME_BLOCK_HEAD + n, done += d->block.content_n) {
        const struct pack_zcontent content = {frame->content + done, HF_MIN(done, back), frame->content_n - done,
                                              d->content_n + done};
        if (!pack_zframe_block_head(frame->packed + at, &d->block, &n) ||
            !pack_zframe_block_read(&d->state, frame->packed + at + ZFRAME_BLOCK_HEAD, n, &d->block))
            return false;
        if (d->block.kind != ZFRAME_COMPRESSED) {
            pack_zimitate_skip(imitate, &content, d->block.content_n);
            continue;
        }
        pack_zimitate_block(imitate, done == 0 && d->block.last);
        for (size_t i = 0; i < d->block.n; i++) {
            const struct pack_zframe_sequence *sequence = &d->block.sequence[i];
            bool more = pack_zimitate_guess(imitate, &content, d->block.content_n, &guess);
            hits += more && memcmp(&guess, sequence, sizeof(guess)) == 0;
            all++;
            pack_zimitate_tell(imitate, sequence);
        }
        if (all > 1000 && hits < all / 2)
            return false;
    }
    return all - hits <= all / 32;
}

/* Marks them. *ret_all: copies and old decisions then have nothing to say. */
static int find_imitated(struct zdecisions *d, const struct pack_zpairs *frames, bool *imitated, bool *ret_all)
{
    struct pack_zimitate *imitate = pack_zimitate_new();

    if (imitate == NULL)
        return -ENOMEM;
    *ret_all = true;
    for (size_t i = 0; i < frames->n; i++) {
        imitated[i] = is_imitated(d, &frames->p[i], imitate);
        *ret_all &= imitated[i];
        d->content_n += frames->p[i].content_n;
    }
    d->content_n = 0;
    pack_zimitate_free(imitate);
    return 0;
}

static int code_frame(struct zdecisions *d, const struct pack_zpair *frame, bool imitated, struct hf_err *err)
{
    struct pack_zframe_head head;
    size_t at = pack_zframe_head_read(frame->packed, frame->packed_n, &head), done = 0, n;
    size_t back = (size_t)look_back(&head, frame->content_n);
    int r = 0;

    for (r = open_frame(d, &head, imitated); r == 0 && !d->block.last;
         at += ZFRAME_BLOCK_HEAD + n, done += d->block.content_n) {
        const struct pack_zcontent content = {frame->content + done, HF_MIN(done, back), frame->content_n - done,
                                              d->content_n + done};
        if (!pack_zframe_block_head(frame->packed + at, &d->block, &n) ||
            !pack_zframe_block_read(&d->state, frame->packed + at + ZFRAME_BLOCK_HEAD, n, &d->block))
            return hf_err_set(err, EBADMSG, "a zstd frame cannot be taken apart");
        r = pack_zmodel_size(d->model, &d->cm, content.rest, &d->block);
        if (r == 0)
            r = pack_zmodel_block(d->model, &d->cm, &content, &d->block);
    }
    d->content_n += frame->content_n;
    return r < 0 ? misfit(d, r, err) : 0;
}

static int code_all(struct zdecisions *d, const struct pack_zpairs *frames, const bool *imitated, struct hf_buf *out,
                    const struct pack_zsearch *search, struct hf_err *err)
{
    delta_cm_start_encoding(&d->cm, out);
    int r = begin(d, err);

    for (size_t i = 0; r == 0 && i < frames->n; i++) {
        r = code_frame(d, &frames->p[i], imitated[i], err);
        if (r == 0 && search->progress != NULL && search->progress(search->progress_ctx, 0, 0) != 0)
            r = hf_err_set(err, ECANCELED, "cancelled");
    }
    return r == 0 ? zdecisions_finish(d, err) : r;
}

int pack_zdecisions_create(const struct pack_zpairs *old, const struct pack_zpairs *new_frames,
                           const struct pack_zsearch *search, struct hf_buf *out, uint64_t *ret_stored,
                           struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf stored = HF_BUF_INIT(SIZE_MAX / 2);
    const struct pack_store store = pack_store_buf(&stored);
    _cleanup_(hf_freep) bool *imitated = calloc(new_frames->n + 1, sizeof(*imitated));
    void *shared = NULL;
    bool all = false;
    int r = imitated != NULL ? zdecisions_new(&store, 0, 0, &shared, err) : hf_err_set(err, ENOMEM, "out of memory");

    for (size_t i = 0; r == 0 && i < old->n; i++)
        r = read_old(shared, &old->p[i], err);
    if (r == 0 && find_imitated(shared, new_frames, imitated, &all) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0 && !all)
        r = find_copies(old, new_frames, search, &((struct zdecisions *)shared)->copies, err);
    if (r == 0)
        r = code_all(shared, new_frames, imitated, out, search, err);
    zdecisions_done(shared);
    *ret_stored = stored.n;
    return r;
}
