/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a deep delta: unpacks the old file's streams to scratch, applies the inner delta to the unpacked forms,
 * and compresses on the way out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pack/deep/recipe.h"

/* ---- scratch ----------------------------------------------------------------------------------------------------- */

struct scratch {
    const struct hf_deep_scratch *file; /* file->write is NULL: use `memory` */
    struct hf_buf memory;
    uint64_t n, max;
    uint64_t content_end; /* of the stream that was unpacked last; what its codec keeps may follow */
};

static int scratch_keep(void *ctx, const void *bytes, size_t n, uint64_t *ret_at, struct hf_err *err)
{
    struct scratch *scratch = ctx;
    int r;

    if (n > scratch->max - scratch->n)
        return hf_err_set(err, EBADMSG, "the old file unpacks to more bytes than the delta states");
    if (scratch->file->write != NULL)
        r = scratch->file->write(scratch->file->ctx, bytes, n, scratch->n);
    else
        r = hf_buf_add(&scratch->memory, bytes, n);
    if (r < 0)
        return hf_err_sys(err, r, "write %zu bytes to the scratch file", n);
    *ret_at = scratch->n;
    scratch->n += n;
    return 0;
}

/* The sink of unpacked content. */
static int scratch_add(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    struct scratch *scratch = ctx;
    uint64_t at;
    int r = scratch_keep(scratch, bytes, n, &at, err);

    scratch->content_end = scratch->n;
    return r;
}

static ssize_t scratch_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct scratch *scratch = ctx;

    if (offset >= scratch->n)
        return 0;
    n = (size_t)HF_MIN((uint64_t)n, scratch->n - offset);
    if (scratch->file->write != NULL)
        return scratch->file->pread(scratch->file->ctx, bytes, n, offset);
    memcpy(bytes, scratch->memory.p + offset, n);
    return (ssize_t)n;
}

/* ---- the unpacked old file --------------------------------------------------------------------------------------- */

enum unpacked_source { IN_OLD, IN_SCRATCH, ZEROS };

struct unpacked_piece {
    uint64_t at, from; /* offset in the unpacked file; offset in its source */
    enum unpacked_source source;
};

struct unpacked {
    const struct hf_delta_old *old;
    struct scratch scratch;
    struct unpacked_piece *pieces;
    size_t n, cap;
    uint64_t size, memory_max;
    const atomic_bool *cancel;
    void *shared; /* of the streams that share state, or NULL */
};

static int add_piece(struct unpacked *unpacked, enum unpacked_source source, uint64_t from, uint64_t n,
                     struct hf_err *err)
{
    if (n == 0)
        return 0;
    if (hf_array_grow(unpacked->pieces, unpacked->n, unpacked->cap, HF_ARRAY_ANY) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    unpacked->pieces[unpacked->n++] = (struct unpacked_piece){unpacked->size, from, source};
    unpacked->size += n;
    return 0;
}

static ssize_t unpacked_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct unpacked *unpacked = ctx;

    if (offset >= unpacked->size)
        return 0;
    size_t next = hf_array_lower_bound(i, unpacked->n, unpacked->pieces[i].at <= offset);
    const struct unpacked_piece *piece = &unpacked->pieces[next - 1];
    uint64_t end = next < unpacked->n ? piece[1].at : unpacked->size;
    n = (size_t)HF_MIN((uint64_t)n, end - offset);
    uint64_t from = piece->from + (offset - piece->at);
    if (piece->source == ZEROS) {
        memset(bytes, 0, n);
        return (ssize_t)n;
    }
    return piece->source == IN_SCRATCH ? scratch_pread(&unpacked->scratch, bytes, n, from)
                                       : unpacked->old->pread(unpacked->old->ctx, bytes, n, from);
}

/* The part of the old file or of scratch that one level of the program covers. */
struct stretch {
    struct hf_delta_old from;
    enum unpacked_source source;
    uint64_t at, end;
};

static int unpack_stream(struct unpacked *unpacked, struct stretch *stretch, const struct recipe_op *op,
                         struct stretch *ret_inner, struct hf_err *err)
{
    const struct pack_decode decode = {.codec = op->codec,
                                       .gzip_tail = op->gzip_tail,
                                       .from = &stretch->from,
                                       .offset = stretch->at,
                                       .n = op->packed_n,
                                       .out = {&unpacked->scratch, scratch_add},
                                       .cancel = unpacked->cancel,
                                       .memory_max = unpacked->memory_max,
                                       .shared = unpacked->shared};
    uint64_t start = unpacked->scratch.n;

    unpacked->scratch.content_end = start;
    if (op->packed_n > stretch->end - stretch->at)
        return hf_err_set(err, EBADMSG, "delta recipe: a stream reaches beyond the end of its container");
    int r = pack_decode_run(&decode, err);
    if (r < 0)
        return hf_err_wrap(err, r, "unpack the old file at offset %llu", (unsigned long long)stretch->at);
    stretch->at += op->packed_n;
    uint64_t end = unpacked->scratch.content_end;
    *ret_inner = (struct stretch){{&unpacked->scratch, scratch_pread, end}, IN_SCRATCH, start, end};
    return 0;
}

static int unpack(struct unpacked *unpacked, const struct recipe *recipe, struct hf_err *err)
{
    const unsigned char *p = recipe->old_program, *end = recipe->new_program;
    struct stretch levels[RECIPE_DEPTH + 1] = {{*unpacked->old, IN_OLD, 0, unpacked->old->size}};
    unsigned depth = 0;
    struct recipe_op op;
    int r;

    for (;;) {
        struct stretch *level = &levels[depth];
        if ((r = recipe_next_old(&p, end, &op, err)) < 0)
            return r;
        if (op.raw > level->end - level->at)
            return hf_err_set(err, EBADMSG, "delta recipe: a level covers more bytes than the old file has");
        if ((r = add_piece(unpacked, level->source, level->at, op.raw, err)) < 0)
            return r;
        level->at += op.raw;
        if (op.open) {
            if (depth == RECIPE_DEPTH)
                return hf_err_set(err, EBADMSG, "delta recipe: streams are nested too deep");
            if ((r = add_piece(unpacked, ZEROS, 0, recipe_pad(unpacked->size), err)) < 0 ||
                (r = unpack_stream(unpacked, level, &op, &levels[depth + 1], err)) < 0)
                return r;
            depth++;
            continue;
        }
        if (level->at != level->end)
            return hf_err_set(err, EBADMSG, "delta recipe: a level covers fewer bytes than the old file has");
        if (depth-- == 0)
            return p == end ? 0 : hf_err_set(err, EBADMSG, "delta recipe: bytes follow a program");
    }
}

/* ---- the new file, compressed on the way out --------------------------------------------------------------------- */

/* A place at which applying can resume: no stream is open there. */
struct packing_mark {
    uint64_t at, written; /* offsets in the unpacked and in the new file */
    struct hf_sha256 hash;
};

struct deep_writer {
    const struct recipe *recipe;
    const unsigned char *p;
    struct recipe_op op;
    uint64_t raw;             /* bytes before the operation `op` */
    void *shared;             /* as in struct unpacked */
    uint64_t shared_n;        /* streams opened that use it */
    uint64_t drop;            /* after resuming: bytes that the new file has already */
    struct packing_mark mark; /* the last place to resume at */
    uint64_t at, skip;        /* offset in the unpacked file; padding bytes that come next */
    struct pack_encoder *encoders[RECIPE_DEPTH];
    uint64_t memory[RECIPE_DEPTH];
    struct packing_level {
        struct deep_writer *packing;
        unsigned depth;
    } levels[RECIPE_DEPTH + 1];
    unsigned depth;
    bool ended;
    const struct hf_delta_out *out;
    uint64_t written, size;
    struct hf_sha256 hash;
    struct hf_err *err; /* the callback of the inner delta passes only a code */
    bool failed;
};

static int put_out(struct deep_writer *packing, const void *bytes, size_t n, struct hf_err *err)
{
    if (n > packing->size - packing->written)
        return hf_err_set(err, EBADMSG, "the new file gets longer than the delta states");
    int r = packing->out->write(packing->out->ctx, bytes, n);
    if (r < 0)
        return hf_err_sys(err, r, "write the new file at offset %llu", (unsigned long long)packing->written);
    hf_sha256_update(&packing->hash, bytes, n);
    packing->written += n;
    return 0;
}

/* Takes bytes of a level: feeds its encoder, or writes them to the new file. */
static int put_level(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    struct packing_level *level = ctx;
    struct deep_writer *packing = level->packing;

    return level->depth == 0 ? put_out(packing, bytes, n, err)
                             : pack_encoder_feed(packing->encoders[level->depth - 1], bytes, n, err);
}

static int open_stream(struct deep_writer *packing, struct hf_err *err)
{
    unsigned depth = packing->depth;
    const struct pack_sink sink = {&packing->levels[depth], put_level};
    struct pack_setup setup = packing->recipe->setups[packing->op.setup].setup;
    uint64_t total = 0;

    if (depth == RECIPE_DEPTH)
        return hf_err_set(err, EBADMSG, "delta recipe: streams are nested too deep");
    setup.gzip_tail = packing->op.gzip_tail;
    setup.plain_n = packing->op.plain_n;
    setup.marks = packing->op.marks;
    setup.marks_n = packing->op.marks_n;
    setup.shared = packing->shared;
    packing->shared_n += recipe_is_shared(packing->recipe, &packing->op);
    packing->memory[depth] = pack_encoder_memory(&setup);
    for (unsigned i = 0; i <= depth && total != UINT64_MAX; i++)
        total = packing->memory[i] > UINT64_MAX - total ? UINT64_MAX : total + packing->memory[i];
    if (total > packing->recipe->memory_bytes)
        return hf_err_set(err, EBADMSG, "delta recipe: it needs more memory than it states");
    int r = pack_encoder_new(&setup, &sink, &packing->encoders[depth], err);
    packing->depth += r == 0;
    return r;
}

static int end_stream(struct deep_writer *packing, struct hf_err *err)
{
    struct pack_encoder *encoder = hf_steal(packing->encoders[packing->depth - 1]);
    int r = pack_encoder_finish(encoder, err);

    pack_encoder_free(encoder);
    packing->depth--;
    return r;
}

/* What streams share is made anew, from the first of them on. */
static bool has_whole_share(const struct deep_writer *packing)
{
    return packing->shared_n == 0 || packing->shared_n == packing->recipe->shared_streams;
}

/* Takes the first of several places with one offset: streams without content may follow at the same offset. */
static void set_mark(struct deep_writer *packing)
{
    if (packing->depth == 0 && packing->at > packing->mark.at && has_whole_share(packing))
        packing->mark = (struct packing_mark){packing->at, packing->written, packing->hash};
}

/* Runs the program until it needs bytes, or ends. */
static int advance(struct deep_writer *packing, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && packing->raw == 0 && packing->skip == 0 && !packing->ended) {
        if (packing->op.open) {
            set_mark(packing);
            packing->skip = recipe_pad(packing->at);
            r = open_stream(packing, err);
        } else if (packing->depth == 0)
            packing->ended = true;
        else
            r = end_stream(packing, err);
        if (r == 0 && !packing->ended) {
            r = recipe_next_new(packing->recipe, &packing->p, &packing->op, err);
            packing->raw = packing->op.raw;
        }
    }
    return r;
}

static int pack_bytes(void *ctx, const void *bytes, size_t n)
{
    struct deep_writer *packing = ctx;
    size_t dropped = (size_t)HF_MIN((uint64_t)n, packing->drop);
    const unsigned char *p = (const unsigned char *)bytes + dropped;
    int r = 0;

    packing->drop -= dropped;
    n -= dropped;
    while (r == 0 && n > 0) {
        if (packing->ended) {
            r = hf_err_set(packing->err, EBADMSG, "delta recipe: more bytes follow than the program covers");
            break;
        }
        bool skip = packing->skip > 0;
        uint64_t *left = skip ? &packing->skip : &packing->raw;
        size_t now = (size_t)HF_MIN((uint64_t)n, *left);
        if (!skip)
            r = put_level(&packing->levels[packing->depth], p, now, packing->err);
        p += now;
        n -= now;
        *left -= now;
        packing->at += now;
        if (r == 0)
            r = advance(packing, packing->err);
    }
    packing->failed = r < 0;
    return r;
}

/* Walks the program, without compressing, to the first place at offset `position` where no stream is open. */
static int skip_to(struct deep_writer *packing, uint64_t position, struct hf_err *err)
{
    uint64_t at = 0;
    unsigned depth = 0;
    int r = 0;

    while (r == 0) {
        const struct recipe_op *op = &packing->op;
        if (depth == 0 && (position < at || (!op->open && position > at + op->raw) ||
                           (position <= at + op->raw && !has_whole_share(packing))))
            return hf_err_set(err, EINVAL, "the checkpoint does not belong to this delta");
        if (depth == 0 && position <= at + op->raw) {
            packing->raw = at + op->raw - position;
            packing->at = position;
            return 0;
        }
        at += op->raw;
        if (op->open)
            at += recipe_pad(at);
        packing->shared_n += recipe_is_shared(packing->recipe, op);
        depth = op->open ? depth + 1 : depth - 1;
        r = recipe_next_new(packing->recipe, &packing->p, &packing->op, err);
    }
    return r;
}

/* A checkpoint's new_offset counts bytes of the new file. Its patch_offset is an offset in the unpacked file; the
 * inner delta resumes at the start of the block that holds it. */
static int packing_resume(struct deep_writer *packing, const struct hf_delta_checkpoint *from, struct hf_err *err)
{
    if (from->new_offset > packing->size || hf_sha256_load(&packing->hash, from->new_hash) < 0)
        return hf_err_set(err, EINVAL, "the checkpoint does not belong to this delta");
    packing->written = from->new_offset;
    packing->drop = from->patch_offset % DELTA_BLOCK;
    int r = skip_to(packing, from->patch_offset, err);
    packing->mark = (struct packing_mark){packing->at, packing->written, packing->hash};
    return r;
}

static int packing_start(struct deep_writer *packing, const struct recipe *recipe, const struct delta_header *header,
                         const struct hf_delta_apply_params *params, void *shared, struct hf_err *err)
{
    memset(packing, 0, sizeof(*packing));
    packing->recipe = recipe;
    packing->shared = shared;
    packing->p = recipe->new_program;
    packing->out = &params->out;
    packing->size = header->new_size;
    packing->err = err;
    hf_sha256_init(&packing->hash);
    for (unsigned i = 0; i <= RECIPE_DEPTH; i++)
        packing->levels[i] = (struct packing_level){packing, i};
    int r = recipe_next_new(recipe, &packing->p, &packing->op, err);
    packing->raw = packing->op.raw;
    if (r == 0 && params->resume != NULL)
        r = packing_resume(packing, params->resume, err);
    return r == 0 ? advance(packing, err) : r;
}

static int packing_end(struct deep_writer *packing, const struct delta_header *header, struct hf_err *err)
{
    unsigned char digest[HF_SHA256_BYTES];

    if (!packing->ended || packing->p != packing->recipe->end || packing->written != header->new_size)
        return hf_err_set(err, EBADMSG, "delta is damaged: sizes do not add up");
    hf_sha256_final(&packing->hash, digest);
    if (memcmp(digest, header->new_sha256, sizeof(digest)) != 0)
        return hf_err_set(err, EBADMSG, "the sha256 of the new file differs from that in the delta's header");
    return 0;
}

static void packing_done(struct deep_writer *packing)
{
    for (unsigned i = 0; i < RECIPE_DEPTH; i++)
        pack_encoder_free(packing->encoders[i]);
}

/* ---- peeking at the head of a patch ------------------------------------------------------------------------------ */

struct peeked {
    const struct hf_delta_in *in;
    unsigned char head[DELTA_HEADER_MAX];
    size_t n, at;
};

static ssize_t peeked_read(void *ctx, void *bytes, size_t n)
{
    struct peeked *peeked = ctx;

    if (peeked->at == peeked->n)
        return peeked->in->read(peeked->in->ctx, bytes, n);
    n = HF_MIN(n, peeked->n - peeked->at);
    memcpy(bytes, peeked->head + peeked->at, n);
    peeked->at += n;
    return (ssize_t)n;
}

static ssize_t head_read(void *ctx, void *bytes, size_t n)
{
    struct peeked *peeked = ctx;

    return peeked->at < peeked->n ? peeked_read(peeked, bytes, n) : 0;
}

/* Reads ahead. *ret_method is DEEP_METHOD, or DELTA_METHOD_NONE for everything else. */
static int peek(struct peeked *peeked, const struct hf_delta_in *in, unsigned *ret_method, struct hf_err *err)
{
    ssize_t n = 1;

    peeked->in = in;
    peeked->n = peeked->at = 0;
    while (peeked->n < sizeof(peeked->head) &&
           (n = in->read(in->ctx, peeked->head + peeked->n, sizeof(peeked->head) - peeked->n)) > 0)
        peeked->n += (size_t)n;
    if (n < 0)
        return hf_err_sys(err, (int)n, "read the delta at offset %zu", peeked->n);
    *ret_method = peeked->n >= HF_DEEP_HEAD && hf_deep_is(peeked->head) ? DEEP_METHOD : DELTA_METHOD_NONE;
    return 0;
}

/* Reads the header of a plain delta, and nothing behind it. */
static int peek_info(const struct peeked *peeked, struct hf_deep_info *info, struct hf_err *err)
{
    struct peeked copy = *peeked;
    const struct hf_delta_in in = {&copy, head_read};

    return hf_delta_read_info(&in, &info->delta, err);
}

static ssize_t body_read(void *ctx, void *bytes, size_t n)
{
    struct delta_input *input = ctx;
    struct hf_err err = HF_ERR_INIT;

    n = (size_t)HF_MIN((uint64_t)n, input->left);
    int r = n > 0 ? delta_input_read(input, bytes, n, &err) : 0;
    return r < 0 ? r : (ssize_t)n;
}

static int body_end(struct delta_input *input, const struct delta_header *header, struct hf_err *err)
{
    unsigned char last;

    if (input->left != 0)
        return hf_err_set(err, EBADMSG, "delta is damaged: sizes do not add up");
    ssize_t n = input->pos < input->n ? 1 : input->in->read(input->in->ctx, &last, 1);
    if (n != 0)
        return n < 0 ? hf_err_sys(err, (int)n, "read the end of the delta")
                     : hf_err_set(err, EBADMSG, "bytes follow the end of the delta");
    return delta_body_check(input, header, err);
}

/* ---- applying ---------------------------------------------------------------------------------------------------- */

struct deep_run {
    const struct hf_deep_apply_params *params;
    struct delta_input input;
    struct delta_header header;
    struct recipe recipe;
    uint64_t coded_n;                     /* length of the coded part behind the recipe */
    const struct pack_shared_ops *shared; /* NULL: no stream shares state */
    struct hf_delta_old old;
    struct unpacked unpacked;
    struct deep_writer packing;
    uint64_t reported; /* new_offset of the last checkpoint that the caller has */
};

static int hash_old(const struct deep_run *run, struct hf_err *err)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(1 << 16);
    unsigned char digest[HF_SHA256_BYTES];

    if (bytes == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_delta_old_hash(&run->old, bytes, 1 << 16, digest, err);
    if (r < 0)
        return r;
    if (memcmp(digest, run->header.old_fingerprint, sizeof(run->header.old_fingerprint)) != 0)
        return hf_err_set(err, ESTALE, "the delta was made from another old file: the sha256 differs");
    return 0;
}

static int check_limits(const struct deep_run *run, struct hf_err *err)
{
    const struct hf_deep_apply_params *params = run->params;

    if (params->memory_max != 0 && run->recipe.memory_bytes > params->memory_max)
        return hf_err_set(err, E2BIG, "the delta needs %llu bytes of memory; the limit is %llu",
                          (unsigned long long)run->recipe.memory_bytes, (unsigned long long)params->memory_max);
    if (params->scratch_max != 0 && run->recipe.scratch_bytes > params->scratch_max)
        return hf_err_set(err, E2BIG, "the delta needs %llu bytes of scratch space; the limit is %llu",
                          (unsigned long long)run->recipe.scratch_bytes, (unsigned long long)params->scratch_max);
    return recipe_check_libraries(&run->recipe, err);
}

static int fill_info(const struct deep_run *run, uint64_t patch_size, struct hf_deep_info *info, struct hf_err *err)
{
    const struct delta_header *header = &run->header;
    const struct recipe *recipe = &run->recipe;

    memset(info, 0, sizeof(*info));
    info->inside = true;
    info->delta = (struct hf_delta_info){.version = header->version,
                                         .method = header->method,
                                         .profile = (enum hf_delta_profile)header->profile,
                                         .old_size = header->old_size,
                                         .new_size = header->new_size,
                                         .patch_size = patch_size};
    memcpy(info->delta.old_fingerprint, header->old_fingerprint, sizeof(header->old_fingerprint));
    memcpy(info->delta.new_sha256, header->new_sha256, HF_SHA256_BYTES);
    info->memory_bytes = recipe->memory_bytes;
    info->scratch_bytes = recipe->scratch_bytes;
    info->streams = recipe->streams;
    for (size_t i = 0; i < recipe->setups_n; i++) {
        size_t n = strlen(info->libraries);
        if (recipe->setups[i].version[0] != '\0' && strstr(info->libraries, recipe->setups[i].version) == NULL)
            (void)snprintf(info->libraries + n, sizeof(info->libraries) - n, "%s%s", n > 0 ? ", " : "",
                           recipe->setups[i].version);
    }
    if (recipe->parts_n == 0)
        return 0;
    info->parts = malloc(recipe->parts_n * sizeof(*info->parts));
    if (info->parts == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    memcpy(info->parts, recipe->parts, recipe->parts_n * sizeof(*info->parts));
    info->parts_n = recipe->parts_n;
    return 0;
}

void hf_deep_info_done(struct hf_deep_info *info)
{
    free(info->parts);
    memset(info, 0, sizeof(*info));
}

static int open_old(struct deep_run *run, const struct hf_deep_info *info, struct hf_err *err)
{
    const struct hf_deep_apply_params *params = run->params;
    int r = 0;

    run->old = params->delta.old;
    if (params->open_old != NULL)
        r = params->open_old(params->open_old_ctx, info, &run->old, err);
    if (r == 0 && run->old.size != run->header.old_size)
        r = hf_err_set(err, ESTALE, "the old file has %llu bytes; the delta was made from one of %llu",
                       (unsigned long long)run->old.size, (unsigned long long)run->header.old_size);
    if (r == 0 && !params->delta.old_is_verified)
        r = hash_old(run, err);
    return r;
}

/* The inner delta as a complete delta: a header that inner_start() makes, then the remainder of the body. */
struct inner {
    struct delta_input *input;
    unsigned char head[DELTA_HEADER_MAX];
    size_t n, at;
};

static ssize_t inner_read(void *ctx, void *bytes, size_t n)
{
    struct inner *inner = ctx;

    if (inner->at == inner->n)
        return body_read(inner->input, bytes, n);
    n = HF_MIN(n, inner->n - inner->at);
    memcpy(bytes, inner->head + inner->at, n);
    inner->at += n;
    return (ssize_t)n;
}

static int inner_start(struct deep_run *run, struct inner *inner, struct hf_err *err)
{
    struct delta_header header = {.version = run->header.version,
                                  .profile = run->header.profile,
                                  .old_size = run->unpacked.size,
                                  .new_size = run->recipe.plain_bytes};
    unsigned char method;
    int r = delta_input_read(&run->input, &method, 1, err);

    if (r < 0)
        return r;
    if (method >= DEEP_METHOD)
        return hf_err_set(err, EOPNOTSUPP, "unknown delta method %u", method);
    header.method = method;
    header.body_size = run->input.left;
    *inner = (struct inner){.input = &run->input};
    inner->n = delta_header_format(&header, inner->head);
    return 0;
}

/* The inner delta has reached a checkpoint. If a stream is open, ours is the place where the outermost one began. */
static int inner_checkpoint(void *ctx, HF_UNUSED const struct hf_delta_checkpoint *inner)
{
    struct deep_run *run = ctx;
    const struct hf_delta_apply_params *delta = &run->params->delta;
    const struct packing_mark *mark = &run->packing.mark;
    struct hf_delta_checkpoint checkpoint;

    set_mark(&run->packing);
    if (mark->written <= run->reported)
        return 0;
    run->reported = checkpoint.new_offset = mark->written;
    checkpoint.patch_offset = mark->at;
    hf_sha256_save(&mark->hash, checkpoint.new_hash);
    return delta->checkpoint(delta->checkpoint_ctx, &checkpoint);
}

/* Returns the checkpoint of the inner delta: the start of a block. It carries no hash; that of the new file decides. */
static struct hf_delta_checkpoint inner_resume(const struct hf_delta_checkpoint *from)
{
    struct hf_delta_checkpoint inner = {.new_offset =
                                            from != NULL ? from->patch_offset / DELTA_BLOCK * DELTA_BLOCK : 0};
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_save(&hash, inner.new_hash);
    return inner;
}

static int run_delta(struct deep_run *run, struct hf_err *err)
{
    const struct hf_delta_apply_params *delta = &run->params->delta;
    const struct hf_delta_checkpoint from = inner_resume(delta->resume);
    struct hf_err inner_err = HF_ERR_INIT, own = HF_ERR_INIT;
    struct inner inner;
    const struct hf_delta_apply_params apply = {.old = {&run->unpacked, unpacked_pread, run->unpacked.size},
                                                .patch = {&inner, inner_read},
                                                .unhashed = true,
                                                .out = {&run->packing, pack_bytes},
                                                .cancel = delta->cancel,
                                                .resume = from.new_offset > 0 ? &from : NULL,
                                                .checkpoint = delta->checkpoint != NULL ? inner_checkpoint : NULL,
                                                .checkpoint_ctx = run,
                                                .old_is_verified = true};
    int r = inner_start(run, &inner, err);

    if (r < 0)
        return r;
    run->packing.err = &own;
    run->reported = delta->resume != NULL ? delta->resume->new_offset : 0;
    r = hf_delta_apply(&apply, NULL, &inner_err);
    if (r < 0 && err != NULL)
        *err = run->packing.failed ? own : inner_err;
    if (r == 0)
        r = packing_end(&run->packing, &run->header, err);
    if (r == 0 && run->shared != NULL)
        r = run->shared->finish(run->unpacked.shared, err);
    return r == 0 ? body_end(&run->input, &run->header, err) : r;
}

/* Keeps the coded part: it is needed while the inner delta is read. */
static int keep_coded(struct deep_run *run, struct hf_err *err)
{
    struct scratch *scratch = &run->unpacked.scratch;
    const struct pack_codec_ops *ops = pack_codec_ops(PACK_CODEC_ZSTD_DECISIONS);
    unsigned char bytes[4096];
    int r = 0;

    if (run->recipe.shared_streams == 0)
        return 0;
    if (ops == NULL)
        return hf_err_set(err, EOPNOTSUPP, "this program lacks zstd: use 'holdfast delta apply'");
    for (uint64_t left = run->coded_n; r == 0 && left > 0;) {
        size_t n = (size_t)HF_MIN(left, (uint64_t)sizeof(bytes));
        r = delta_input_read(&run->input, bytes, n, err);
        if (r == 0)
            r = scratch_add(scratch, bytes, n, err);
        left -= n;
    }
    run->shared = ops->shared;
    const struct pack_store store = {scratch, scratch_keep, scratch_pread};
    return r == 0 ? run->shared->make(&store, 0, run->coded_n, &run->unpacked.shared, err) : r;
}

static int run_deep(struct deep_run *run, const struct hf_deep_info *info, struct hf_err *err)
{
    const struct hf_deep_apply_params *params = run->params;
    struct unpacked *unpacked = &run->unpacked;
    int r = check_limits(run, err);

    if (r == 0)
        r = open_old(run, info, err);
    if (r < 0)
        return r;
    unpacked->old = &run->old;
    unpacked->cancel = params->delta.cancel;
    unpacked->memory_max = run->recipe.memory_bytes;
    unpacked->scratch = (struct scratch){.file = &params->scratch, .max = run->recipe.scratch_bytes};
    unpacked->scratch.memory.max = SIZE_MAX / 2;
    r = keep_coded(run, err);
    if (r == 0)
        r = unpack(unpacked, &run->recipe, err);
    if (r == 0)
        r = packing_start(&run->packing, &run->recipe, &run->header, &params->delta, unpacked->shared, err);
    if (r == 0)
        r = run_delta(run, err);
    packing_done(&run->packing);
    if (run->shared != NULL)
        run->shared->done(unpacked->shared);
    hf_buf_done(&unpacked->scratch.memory);
    free(unpacked->pieces);
    return r;
}

static int start_deep(struct deep_run *run, const struct hf_delta_in *in, struct hf_deep_info *ret_info,
                      struct hf_err *err)
{
    delta_input_init(&run->input, in);
    int r = delta_header_read(&run->input, &run->header, err);
    uint64_t header_bytes = run->input.offset;
    if (r == 0)
        r = recipe_read(&run->input, &run->recipe, err);
    if (r == 0 && run->recipe.shared_streams > 0)
        r = delta_input_varint(&run->input, run->input.left, &run->coded_n, err);
    uint64_t recipe_bytes = run->input.offset - header_bytes + run->coded_n;
    if (r == 0)
        r = fill_info(run, header_bytes + run->header.body_size, ret_info, err);
    ret_info->header_bytes = header_bytes;
    ret_info->recipe_bytes = recipe_bytes;
    return r;
}

static int apply_deep(const struct hf_deep_apply_params *params, const struct hf_delta_in *in,
                      struct hf_deep_info *ret_info, struct hf_err *err)
{
    struct deep_run *run = calloc(1, sizeof(*run));
    struct hf_deep_info info = {.inside = true};
    int r;

    if (run == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    run->params = params;
    r = start_deep(run, in, &info, err);
    if (r == 0)
        r = run_deep(run, &info, err);
    recipe_done(&run->recipe);
    free(run);
    if (r == 0 && ret_info != NULL)
        *ret_info = info;
    else
        hf_deep_info_done(&info);
    return r;
}

int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info, struct hf_err *err)
{
    struct peeked peeked;
    struct hf_deep_info info = {.inside = false};
    unsigned method;
    int r = peek(&peeked, &params->delta.patch, &method, err);

    if (r < 0)
        return r;
    const struct hf_delta_in in = {&peeked, peeked_read};
    if (method == DEEP_METHOD)
        return apply_deep(params, &in, ret_info, err);
    struct hf_delta_apply_params plain = params->delta;
    plain.patch = in;
    if (params->open_old != NULL) {
        r = peek_info(&peeked, &info, err);
        if (r == 0)
            r = params->open_old(params->open_old_ctx, &info, &plain.old, err);
        if (r < 0)
            return r;
    }
    r = hf_delta_apply(&plain, &info.delta, err);
    if (r == 0 && ret_info != NULL)
        *ret_info = info;
    return r;
}

bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD])
{
    return (head[DELTA_METHOD_AT] & ((1U << DELTA_METHOD_BITS) - 1)) == DEEP_METHOD;
}

int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err)
{
    struct peeked peeked;
    struct hf_deep_info info = {.inside = false};
    unsigned method;
    int r = peek(&peeked, patch, &method, err);

    if (r < 0)
        return r;
    const struct hf_delta_in in = {&peeked, peeked_read};
    if (method != DEEP_METHOD) {
        r = hf_delta_read_info(&in, &info.delta, err);
    } else {
        struct deep_run *run = calloc(1, sizeof(*run));
        unsigned char inner = 0;
        r = run != NULL ? start_deep(run, &in, &info, err) : hf_err_set(err, ENOMEM, "out of memory");
        if (r == 0)
            r = delta_input_skip(&run->input, run->coded_n, err);
        if (r == 0)
            r = delta_input_read(&run->input, &inner, 1, err);
        info.inner_method = inner;
        if (run != NULL)
            recipe_done(&run->recipe);
        free(run);
    }
    if (r == 0)
        *ret_info = info;
    else
        hf_deep_info_done(&info);
    return r;
}
