/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a deep delta. Unpacks both sides level by level. Leaves streams alone that both sides have. Keeps the other
 * streams of new unpacked if it finds an encoder that makes the same bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "delta/io/jobs.h"
#include "pack/codec/xz.h"
#include "pack/codec/zst.h"
#include "pack/deep/find.h"
#include "pack/deep/recipe.h"
#include "pack/deflate/deflate_find.h"
#include "pack/zstd/check.h"
#include "pack/zstd/decisions.h"

struct deep_side {
    const unsigned char *bytes;
    size_t n;
    struct find_list top;
    struct hf_buf plain, program;
};

struct deep {
    const struct hf_deep_create_params *params;
    struct deep_side old, new_side;
    struct recipe recipe;
    size_t setups_cap;
    uint64_t unpacked_left; /* bytes for which there is room */
    bool quick;             /* look only inside streams that compress quickly */
    bool decisions;         /* take zstd frames apart for which no encoder is taken */
    struct hf_buf coded;    /* the decisions of new frames */
    bool tokens;            /* a stream of new uses DEFLATE_TOKENS, so those of old have to as well */
    unsigned depth;         /* largest number of encoders that are open at once */
    bool large; /* one of them needs a library or is of codec 5; everything else is small beside its memory */
    uint64_t encoder_memory, decoder_memory;
};

static int cancelled(const struct deep *deep, struct hf_err *err)
{
    const struct hf_delta_create_params *params = deep->params != NULL ? &deep->params->delta : NULL;

    if (params != NULL && params->progress != NULL && params->progress(params->progress_ctx, 0, 0) != 0)
        return hf_err_set(err, ECANCELED, "cancelled");
    return 0;
}

/* True if old is an image's blobs. */
static bool in_parts(const struct deep *deep)
{
    return deep->params != NULL && deep->params->parts_n > 0;
}

static int search_progress(void *ctx)
{
    return cancelled(ctx, NULL) < 0;
}

/* ---- streams that both sides have -------------------------------------------------------------------------------- */

/* All streams of one side at one depth. */
struct found_level {
    struct found **p;
    size_t n, cap;
};

static int level_add(struct found_level *level, struct find_list *list, struct hf_err *err)
{
    if (list == NULL)
        return 0;
    for (size_t i = 0; i < list->n; i++) {
        if (hf_array_grow(level->p, level->n, level->cap, HF_ARRAY_ANY) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
        level->p[level->n++] = &list->p[i];
    }
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const struct found *x = *(struct found *const *)a, *y = *(struct found *const *)b;

    return memcmp(x->sha256, y->sha256, HF_SHA256_BYTES);
}

/* Keeps the streams that the other side lacks. Both levels are sorted. */
static void keep_own(struct found_level *level, const struct found_level *other)
{
    size_t k = 0;

    for (size_t i = 0; i < level->n; i++) {
        while (k < other->n && by_hash(&other->p[k], &level->p[i]) < 0)
            k++;
        level->p[i]->keep = k == other->n || by_hash(&other->p[k], &level->p[i]) != 0;
    }
}

/* ---- finding encoders -------------------------------------------------------------------------------------------- */

static int add_tokens(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    int r = hf_buf_add(ctx, bytes, n);

    return r < 0 ? hf_err_sys(err, r, "unpack") : 0;
}

/* Replaces the plain form of a deflate stream by its tokens form. -ENOENT: it has none. */
static int switch_to_tokens(const unsigned char *packed, struct found *found, struct hf_err *err)
{
    struct hf_delta_memory memory = {packed, found->packed_n};
    const struct hf_delta_old from = {&memory, hf_delta_memory_pread, memory.n};
    struct hf_buf plain = HF_BUF_INIT(FIND_PLAIN_MAX);
    const struct pack_decode decode = {.codec = PACK_CODEC_DEFLATE_TOKENS,
                                       .gzip_tail = found->gzip_tail,
                                       .from = &from,
                                       .n = memory.n,
                                       .out = {&plain, add_tokens},
                                       .memory = &found->memory};
    int r = pack_decode_run(&decode, err);

    if (r < 0) {
        hf_buf_done(&plain);
        return r == -ENOMEM ? r : hf_err_set(err, ENOENT, "the deflate stream has no tokens form");
    }
    hf_buf_done(&found->plain);
    found->plain = plain;
    found->codec = PACK_CODEC_DEFLATE_TOKENS;
    found->setup = (struct pack_setup){.codec = PACK_CODEC_DEFLATE_TOKENS, .gzip_tail = found->gzip_tail};
    return 0;
}

/* -ENOENT: the frame cannot be taken apart. */
static int find_decisions(const unsigned char *packed, struct found *found, struct hf_err *err)
{
    const struct pack_zpair frame = {packed, (const unsigned char *)found->plain.p, found->packed_n, found->plain.n};
    int r = pack_zframe_check(frame.packed, frame.packed_n, frame.content, frame.content_n);

    if (r <= 0)
        return hf_err_set(err, r < 0 ? -r : ENOENT, "the zstd frame cannot be taken apart");
    found->codec = PACK_CODEC_ZSTD_DECISIONS;
    pack_zdecisions_setup(&frame, &found->setup);
    return 0;
}

static struct pack_search search_of(struct deep *deep, const unsigned char *packed, const struct found *found)
{
    return (struct pack_search){.packed = packed,
                                .plain = (const unsigned char *)found->plain.p,
                                .packed_n = found->packed_n,
                                .plain_n = found->plain.n,
                                .progress = search_progress,
                                .progress_ctx = deep,
                                .quick = deep->quick};
}

/* Applying a layer's delta takes at most 24 MiB beyond the windows that the streams demand. Up to 13 are the program,
 * the inner delta and the codecs that streams share. */
enum { LAYER_ENCODER_MAX = 11 << 20 };

/* Layers: by an encoder that needs more only if the frame cannot be taken apart. */
static int find_zstd(const struct deep *deep, struct pack_search *search, struct found *found, bool in_shared,
                     struct hf_err *err)
{
    search->memory_max = in_parts(deep) ? LAYER_ENCODER_MAX : 0;
    int r = pack_zstd_find(search, &found->setup, err);
    if (r == -ENOENT && deep->decisions && !in_shared)
        r = find_decisions(search->packed, found, err);
    if (r != -ENOENT || !deep->decisions || search->memory_max == 0)
        return r;
    search->memory_max = 0;
    return pack_zstd_find(search, &found->setup, err);
}

static int find_setup(struct deep *deep, const unsigned char *packed, struct found *found, bool in_shared,
                      struct hf_err *err)
{
    struct pack_search search = search_of(deep, packed, found);
    int r;

    found->setup.gzip_tail = found->gzip_tail;
    if (found->codec == PACK_CODEC_XZ)
        return pack_xz_find(&search, &found->setup, err);
    if (found->codec == PACK_CODEC_ZSTD)
        return find_zstd(deep, &search, found, in_shared, err);
    r = pack_deflate_find(&search, &found->setup, &found->marks, err);
    if (r != -ENOENT)
        return r;
    r = switch_to_tokens(packed, found, err);
    if (r < 0)
        return r;
    search.plain = (const unsigned char *)found->plain.p;
    search.plain_n = found->plain.n;
    r = pack_encoder_makes(&found->setup, &search, err);
    deep->tokens |= r > 0;
    return r > 0 ? 0 : r < 0 ? r : hf_err_set(err, ENOENT, "no encoder setup makes the same bytes");
}

static int add_setup(struct deep *deep, struct found *found, struct hf_err *err)
{
    struct recipe *recipe = &deep->recipe;
    const char *version = pack_codec_version(found->setup.codec);

    for (size_t i = 0; i < recipe->setups_n; i++) {
        const struct pack_setup *setup = &recipe->setups[i].setup;
        if (setup->codec == found->setup.codec && setup->params_n == found->setup.params_n &&
            memcmp(setup->params, found->setup.params, setup->params_n) == 0) {
            found->setup_index = i;
            return 0;
        }
    }
    if (recipe->setups_n == RECIPE_SETUPS)
        return hf_err_set(err, ENOENT, "too many encoder setups");
    if (hf_array_grow(recipe->setups, recipe->setups_n, deep->setups_cap, RECIPE_SETUPS) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    struct recipe_setup *setup = &recipe->setups[recipe->setups_n];
    memset(setup, 0, sizeof(*setup));
    setup->setup = found->setup;
    setup->setup.marks = NULL;
    if (version != NULL) {
        (void)snprintf(setup->version, sizeof(setup->version), "%s", version);
        int r = pack_encoder_fingerprint(&setup->setup, setup->fingerprint, err);
        if (r < 0)
            return r;
    }
    found->setup_index = recipe->setups_n++;
    return 0;
}

/* Keeps the streams of new for which it finds an encoder. */
static int settle_new(struct deep *deep, const unsigned char *bytes, struct find_list *list, struct hf_err *err)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct found *found = &list->p[i];
        if (!found->keep)
            continue;
        int r = find_setup(deep, bytes + found->offset, found, list->in_shared, err);
        if (r == 0)
            r = add_setup(deep, found, err);
        if (r < 0 && r != -ENOENT)
            return r;
        found->keep = r == 0;
    }
    return 0;
}

/* Switches deflate streams of old to tokens if new uses them and no predicted encoder fits. */
static int settle_old(struct deep *deep, const unsigned char *bytes, struct find_list *list, struct hf_err *err)
{
    for (size_t i = 0; deep->tokens && list != NULL && i < list->n; i++) {
        struct found *found = &list->p[i];
        if (!found->keep || found->codec != PACK_CODEC_DEFLATE)
            continue;
        const struct pack_search search = search_of(deep, bytes + found->offset, found);
        int r = pack_deflate_guess(&search, err);
        if (r == -ENOENT)
            r = switch_to_tokens(bytes + found->offset, found, err);
        if (r < 0 && r != -ENOENT)
            return r;
    }
    return 0;
}

/* ---- level by level ---------------------------------------------------------------------------------------------- */

static int find_inside(struct deep *deep, struct found *found, bool in_shared, struct hf_err *err)
{
    if (!found->keep || found->inside != NULL)
        return 0;
    found->inside = calloc(1, sizeof(*found->inside));
    if (found->inside == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = find_streams((const unsigned char *)found->plain.p, found->plain.n, deep->quick, &deep->unpacked_left,
                         found->inside, err);
    found->inside->in_shared = in_shared || found->codec == PACK_CODEC_ZSTD_DECISIONS;
    return r;
}

struct lists {
    struct find_list **lists;
    const unsigned char **bytes;
    size_t n;
};

static void lists_done(struct lists *lists)
{
    free(lists->lists);
    free(lists->bytes);
    memset(lists, 0, sizeof(*lists));
}

/* Returns the lists of the next inner level. */
static int go_inside(struct deep *deep, const struct lists *lists, struct lists *ret_inner, struct hf_err *err)
{
    struct lists inner = {.n = 0};
    size_t cap = 1;
    int r = 0;

    for (size_t i = 0; i < lists->n; i++)
        cap += lists->lists[i]->n;
    inner.lists = calloc(cap, sizeof(struct find_list *));
    inner.bytes = calloc(cap, sizeof(unsigned char *));
    if (inner.lists == NULL || inner.bytes == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < lists->n; i++) {
        for (size_t k = 0; r == 0 && k < lists->lists[i]->n; k++) {
            struct found *found = &lists->lists[i]->p[k];
            r = find_inside(deep, found, lists->lists[i]->in_shared, err);
            if (found->inside != NULL) {
                inner.bytes[inner.n] = (const unsigned char *)found->plain.p;
                inner.lists[inner.n++] = found->inside;
            }
        }
    }
    if (r < 0) {
        lists_done(&inner);
        return r;
    }
    *ret_inner = inner;
    return 0;
}

static int compare_level(const struct lists *old, const struct lists *new_lists, bool *ret_more, struct hf_err *err)
{
    struct found_level a = {.n = 0}, b = {.n = 0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < old->n; i++)
        r = level_add(&a, old->lists[i], err);
    for (size_t i = 0; r == 0 && i < new_lists->n; i++)
        r = level_add(&b, new_lists->lists[i], err);
    if (a.n > 0)
        qsort(a.p, a.n, sizeof(struct found *), by_hash);
    if (b.n > 0)
        qsort(b.p, b.n, sizeof(struct found *), by_hash);
    keep_own(&a, &b);
    keep_own(&b, &a);
    *ret_more = a.n + b.n > 0;
    free(a.p);
    free(b.p);
    return r;
}

static int settle_level(struct deep *deep, const struct lists *old, const struct lists *new_lists, bool *ret_more,
                        struct hf_err *err)
{
    int r = compare_level(old, new_lists, ret_more, err);

    for (size_t i = 0; r == 0 && i < new_lists->n; i++)
        r = settle_new(deep, new_lists->bytes[i], new_lists->lists[i], err);
    for (size_t i = 0; r == 0 && i < old->n; i++)
        r = settle_old(deep, old->bytes[i], old->lists[i], err);
    return r;
}

static int unpack_both(struct deep *deep, struct hf_err *err)
{
    struct lists old = {.n = 1}, new_lists = {.n = 1}, inner_old = {.n = 0}, inner_new = {.n = 0};
    bool more = true;
    int r;

    old.lists = calloc(1, sizeof(struct find_list *));
    old.bytes = calloc(1, sizeof(unsigned char *));
    new_lists.lists = calloc(1, sizeof(struct find_list *));
    new_lists.bytes = calloc(1, sizeof(unsigned char *));
    if (old.lists == NULL || old.bytes == NULL || new_lists.lists == NULL || new_lists.bytes == NULL) {
        r = hf_err_set(err, ENOMEM, "out of memory");
    } else {
        old.lists[0] = &deep->old.top;
        old.bytes[0] = deep->old.bytes;
        new_lists.lists[0] = &deep->new_side.top;
        new_lists.bytes[0] = deep->new_side.bytes;
        r = find_streams(deep->new_side.bytes, deep->new_side.n, deep->quick, &deep->unpacked_left, &deep->new_side.top,
                         err);
        /* Streams of old matter only if new has some. */
        if (r == 0 && deep->new_side.top.n > 0)
            r = find_streams(deep->old.bytes, deep->old.n, deep->quick, &deep->unpacked_left, &deep->old.top, err);
    }
    for (unsigned depth = 0; r == 0 && more && depth < RECIPE_DEPTH; depth++) {
        r = settle_level(deep, &old, &new_lists, &more, err);
        if (r == 0)
            r = cancelled(deep, err);
        if (r < 0 || !more || depth + 1 == RECIPE_DEPTH)
            break;
        if ((r = go_inside(deep, &old, &inner_old, err)) < 0 || (r = go_inside(deep, &new_lists, &inner_new, err)) < 0)
            break;
        lists_done(&old);
        lists_done(&new_lists);
        old = inner_old;
        new_lists = inner_new;
        inner_old = inner_new = (struct lists){.n = 0};
    }
    lists_done(&old);
    lists_done(&new_lists);
    lists_done(&inner_old);
    lists_done(&inner_new);
    return r;
}

/* ---- decisions of zstd frames ------------------------------------------------------------------------------------ */

static int add_pair(struct pack_zpairs *pairs, const unsigned char *packed, const struct found *found,
                    struct hf_err *err)
{
    if (hf_array_grow(pairs->p, pairs->n, pairs->cap, HF_ARRAY_ANY) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    pairs->p[pairs->n++] =
        (struct pack_zpair){packed, (const unsigned char *)found->plain.p, found->packed_n, found->plain.n};
    return 0;
}

/* Collects the frames that share state, in the order of the program. With `old`, first makes them of all zstd frames
 * that can be taken apart. */
/* NOLINTNEXTLINE(misc-no-recursion): at most RECIPE_DEPTH deep */
static int collect(const unsigned char *bytes, struct find_list *list, bool old, struct pack_zpairs *pairs,
                   struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && list != NULL && i < list->n; i++) {
        struct found *found = &list->p[i];
        if (!found->keep)
            continue;
        if (old && found->codec == PACK_CODEC_ZSTD &&
            (r = find_decisions(bytes + found->offset, found, err)) == -ENOENT)
            r = 0;
        if (r == 0 && found->codec == PACK_CODEC_ZSTD_DECISIONS)
            r = add_pair(pairs, bytes + found->offset, found, err);
        if (r == 0)
            r = collect((const unsigned char *)found->plain.p, found->inside, old, pairs, err);
    }
    return r;
}

static int code_decisions(struct deep *deep, struct hf_err *err)
{
    const struct hf_deep_create_params *params = deep->params;
    struct pack_zpairs old = {.n = 0}, new_frames = {.n = 0};
    struct pack_zsearch search = {.workers = 1};
    uint64_t stored = 0;
    int r = collect(deep->new_side.bytes, &deep->new_side.top, false, &new_frames, err);

    if (params != NULL) {
        search.workers = delta_workers(&params->delta);
        search.progress = params->delta.progress;
        search.progress_ctx = params->delta.progress_ctx;
    }
    deep->coded = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
    if (r == 0 && new_frames.n > 0)
        r = collect(deep->old.bytes, &deep->old.top, true, &old, err);
    if (r == 0 && new_frames.n > 0)
        r = pack_zdecisions_create(&old, &new_frames, &search, &deep->coded, &stored, err);
    deep->recipe.shared_streams = new_frames.n;
    deep->recipe.scratch_bytes = deep->coded.n + stored;
    free(old.p);
    free(new_frames.p);
    return r;
}

/* ---- unpacked forms and programs --------------------------------------------------------------------------------- */

struct emit {
    struct deep *deep;
    struct deep_side *side;
    bool is_new;
    unsigned open;   /* number of open encoders */
    uint64_t memory; /* bytes that they need */
};

static int put_stream(struct emit *emit, const struct found *found, uint64_t raw)
{
    struct recipe_op op = {.raw = raw,
                           .packed_n = found->packed_n,
                           .codec = found->codec,
                           .setup = found->setup_index,
                           .gzip_tail = found->gzip_tail,
                           .plain_n = found->setup.plain_n,
                           .marks = found->setup.marks,
                           .marks_n = found->setup.marks_n};

    return emit->is_new ? recipe_put_new(&emit->side->program, &op) : recipe_put_old(&emit->side->program, &op);
}

static void count_stream(struct emit *emit, const struct found *found)
{
    struct deep *deep = emit->deep;

    if (emit->is_new) {
        struct pack_setup setup = found->setup;
        emit->memory += pack_encoder_memory(&setup);
        emit->open++;
        deep->depth = HF_MAX(deep->depth, emit->open);
        deep->large |= pack_codec_version(setup.codec) != NULL || setup.codec == PACK_CODEC_ZSTD_DECISIONS;
        deep->encoder_memory = HF_MAX(deep->encoder_memory, emit->memory);
    } else {
        deep->decoder_memory = HF_MAX(deep->decoder_memory, found->memory);
        deep->recipe.scratch_bytes += found->plain.n;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most RECIPE_DEPTH deep */
static int emit_bytes(struct emit *emit, const unsigned char *bytes, size_t n, const struct find_list *list)
{
    static const unsigned char zeros[RECIPE_ALIGN];
    size_t at = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && list != NULL && i < list->n; i++) {
        const struct found *found = &list->p[i];
        if (!found->keep)
            continue;
        r = hf_buf_add(&emit->side->plain, bytes + at, found->offset - at);
        if (r == 0)
            r = put_stream(emit, found, found->offset - at);
        if (r == 0)
            r = hf_buf_add(&emit->side->plain, zeros, (size_t)recipe_pad(emit->side->plain.n));
        uint64_t memory = emit->memory;
        unsigned open = emit->open;
        count_stream(emit, found);
        if (r == 0)
            r = emit_bytes(emit, (const unsigned char *)found->plain.p, found->plain.n, found->inside);
        emit->memory = memory;
        emit->open = open;
        at = found->offset + found->packed_n;
    }
    if (r == 0)
        r = hf_buf_add(&emit->side->plain, bytes + at, n - at);
    return r == 0 ? recipe_put_end(&emit->side->program, n - at) : r;
}

static int emit_side(struct deep *deep, struct deep_side *side, struct hf_err *err)
{
    struct emit emit = {.deep = deep, .side = side, .is_new = side == &deep->new_side};
    int r;

    side->plain = (struct hf_buf)HF_BUF_INIT(FIND_PLAIN_MAX);
    side->program = (struct hf_buf)HF_BUF_INIT(RECIPE_MAX);
    r = emit_bytes(&emit, side->bytes, side->n, &side->top);
    find_list_done(&side->top);
    return r < 0 ? hf_err_sys(err, r, "unpack") : 0;
}

/* ---- creating ---------------------------------------------------------------------------------------------------- */

static void deep_done(struct deep *deep)
{
    struct deep_side *sides[] = {&deep->old, &deep->new_side};

    for (size_t i = 0; i < HF_LEN(sides); i++) {
        find_list_done(&sides[i]->top);
        hf_buf_done(&sides[i]->plain);
        hf_buf_done(&sides[i]->program);
    }
    hf_buf_done(&deep->coded);
    deep->recipe.parts = NULL; /* the caller's */
    recipe_done(&deep->recipe);
}

static int add_patch(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

struct memory_in {
    struct hf_delta_memory memory;
    size_t at;
};

static ssize_t memory_read(void *ctx, void *bytes, size_t n)
{
    struct memory_in *in = ctx;
    ssize_t got = hf_delta_memory_pread(&in->memory, bytes, n, in->at);

    in->at += (size_t)got;
    return got;
}

/* Appends the inner delta to the body: its method and its body. The remainder of its header follows from the recipe. */
static int add_inner(struct deep *deep, struct hf_buf *body, struct hf_err *err)
{
    const struct hf_deep_create_params *params = deep->params;
    if (params != NULL && params->delta.on_idle != NULL)
        params->delta.on_idle(params->delta.on_idle_ctx);
    _cleanup_(hf_buf_done) struct hf_buf inner = HF_BUF_INIT(SIZE_MAX / 2);
    _cleanup_(hf_freep) struct delta_input *input = malloc(sizeof(*input));
    const struct hf_delta_out out = {&inner, add_patch};
    struct hf_delta_create_params made_by = params != NULL ? params->delta : (struct hf_delta_create_params){0};
    struct delta_header header;
    made_by.lean = deep->large || deep->depth == 0 ? 0 : deep->depth == 1 ? 1 : deep->depth + 1;
    int r = input == NULL ? hf_err_set(err, ENOMEM, "out of memory")
                          : hf_delta_create(deep->old.plain.p, deep->old.plain.n, deep->new_side.plain.p,
                                            deep->new_side.plain.n, &made_by, &out, err);

    if (r < 0)
        return r;
    struct hf_delta_memory memory = {(const unsigned char *)inner.p, inner.n};
    struct memory_in in = {memory, 0};
    const struct hf_delta_in patch = {&in, memory_read};
    delta_input_init(input, &patch);
    r = delta_header_read(input, &header, err);
    if (r < 0)
        return r;
    unsigned char method = (unsigned char)header.method;
    r = hf_buf_add(body, &method, 1);
    if (r == 0)
        r = hf_buf_add(body, inner.p + input->offset, inner.n - (size_t)input->offset);
    return r < 0 ? hf_err_sys(err, r, "assemble the delta") : 0;
}

/* Adds room for the recipe and the table of pieces. Rounds up to steps, because the sizes of structures differ
 * between machines and the same inputs must give the same delta. */
static uint64_t stated_memory(uint64_t needed)
{
    const uint64_t step = 64 << 10;

    return (needed + step + step - 1) / step * step;
}

static int make_body(struct deep *deep, struct hf_buf *body, struct hf_err *err)
{
    const struct hf_deep_create_params *params = deep->params;
    unsigned char coded_n[10];
    int r = code_decisions(deep, err);

    if (r == 0)
        r = emit_side(deep, &deep->old, err);
    if (r == 0)
        r = emit_side(deep, &deep->new_side, err);
    if (r < 0)
        return r;
    deep->recipe.memory_bytes = stated_memory(HF_MAX(deep->encoder_memory, deep->decoder_memory));
    if (params != NULL) {
        deep->recipe.parts = (struct hf_deep_part *)(uintptr_t)params->parts;
        deep->recipe.parts_n = params->parts_n;
    }
    r = recipe_write(&deep->recipe, &deep->old.program, &deep->new_side.program, body, err);
    if (r == 0 && deep->recipe.shared_streams > 0) {
        r = hf_buf_add(body, coded_n, delta_put_varint(coded_n, deep->coded.n));
        if (r == 0)
            r = hf_buf_add(body, deep->coded.p, deep->coded.n);
        if (r < 0)
            return hf_err_sys(err, r, "assemble the delta");
    }
    return r == 0 ? add_inner(deep, body, err) : r;
}

/* Returns the header without its hashes. */
static struct delta_header header_of(const struct deep *deep, const struct hf_buf *body)
{
    return (struct delta_header){.version = DELTA_VERSION,
                                 .profile = deep->params != NULL ? deep->params->delta.profile : HF_DELTA_SMALL,
                                 .method = DEEP_METHOD,
                                 .old_size = deep->old.n,
                                 .new_size = deep->new_side.n,
                                 .body_size = body->n};
}

static size_t head_bytes(const struct deep *deep, const struct hf_buf *body)
{
    const struct delta_header header = header_of(deep, body);
    unsigned char bytes[DELTA_HEADER_MAX];

    return delta_header_format(&header, bytes);
}

static int write_deep(const struct deep *deep, const struct hf_buf *body, const struct hf_delta_out *patch,
                      struct hf_err *err)
{
    struct delta_header header = header_of(deep, body);
    unsigned char bytes[DELTA_HEADER_MAX];

    hf_sha256_of(deep->old.bytes, deep->old.n, header.old_fingerprint, sizeof(header.old_fingerprint));
    hf_sha256_of(deep->new_side.bytes, deep->new_side.n, header.new_sha256, sizeof(header.new_sha256));
    hf_sha256_of(body->p, body->n, header.body_fingerprint, sizeof(header.body_fingerprint));
    int r = patch->write(patch->ctx, bytes, delta_header_format(&header, bytes));
    if (r == 0)
        r = patch->write(patch->ctx, body->p, body->n);
    return r < 0 ? hf_err_sys(err, r, "write the delta") : 0;
}

static int write_plain(const struct hf_buf *plain, const struct hf_delta_out *patch, struct hf_err *err)
{
    int r = patch->write(patch->ctx, plain->p, plain->n);

    return r < 0 ? hf_err_sys(err, r, "write the delta") : 0;
}

static int make_plain(const struct deep *deep, enum hf_delta_profile profile, struct hf_buf *plain, struct hf_err *err)
{
    struct hf_delta_create_params params = {.profile = profile};
    const struct hf_delta_out out = {plain, add_patch};

    if (deep->params != NULL)
        params = deep->params->delta;
    params.profile = profile;
    return hf_delta_create(deep->old.bytes, deep->old.n, deep->new_side.bytes, deep->new_side.n, &params, &out, err);
}

/* Writes the smaller of the deep and the plain delta. A fast plain delta takes little time: if an eighth of it is
 * still larger than the deep one, the small plain delta cannot win either. */
static int choose(const struct deep *deep, const struct hf_buf *body, const struct hf_delta_out *patch,
                  struct hf_err *err)
{
    enum { AT_BEST = 8 };
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(SIZE_MAX / 2);
    bool small = deep->params == NULL || deep->params->delta.profile == HF_DELTA_SMALL;

    if (deep->recipe.parts_n > 0)
        return write_deep(deep, body, patch, err);
    int r = make_plain(deep, HF_DELTA_FAST, &plain, err);
    if (r == 0 && small && plain.n / AT_BEST < body->n) {
        plain.n = 0;
        r = make_plain(deep, HF_DELTA_SMALL, &plain, err);
    }
    if (r < 0)
        return r;
    return plain.n <= body->n + head_bytes(deep, body) ? write_plain(&plain, patch, err)
                                                       : write_deep(deep, body, patch, err);
}

/* Returns the compressed bytes of new that the delta would look inside: the upper bound of the gain. */
static size_t packed_inside(const struct deep *deep)
{
    size_t n = 0;

    for (size_t i = 0; i < deep->new_side.top.n; i++)
        n += deep->new_side.top.p[i].keep ? deep->new_side.top.p[i].packed_n : 0;
    return n;
}

enum { LITTLE = 1000, GAIN = 50 };

/* For a few small streams in a large file, a plain delta saves every node the memory of their encoders. Returns 1 if
 * it wrote one because looking inside could gain little, 0 if looking inside may pay. */
static int try_plain(const struct deep *deep, const struct hf_delta_out *patch, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(SIZE_MAX / 2);
    const struct hf_delta_out out = {&plain, add_patch};
    size_t inside = packed_inside(deep);

    if (inside > deep->new_side.n / LITTLE)
        return 0;
    int r = hf_delta_create(deep->old.bytes, deep->old.n, deep->new_side.bytes, deep->new_side.n,
                            deep->params != NULL ? &deep->params->delta : NULL, &out, err);
    if (r < 0 || inside > plain.n / GAIN)
        return r;
    r = write_plain(&plain, patch, err);
    return r < 0 ? r : 1;
}

static bool too_much(int r)
{
    return r == -EFBIG || r == -E2BIG;
}

/* Decisions may cost more than what is known of the content saves. Beside other streams, or in parts, the delta without
 * them is another one than the plain delta: takes it if it is smaller, or `r` says that there is none with them. */
static int try_without_decisions(struct deep *deep, struct hf_buf *body, int r, struct hf_err *err)
{
    _cleanup_(deep_done) struct deep other = {.params = deep->params,
                                              .quick = deep->quick,
                                              .unpacked_left = deep->unpacked_left,
                                              .old = {.bytes = deep->old.bytes, .n = deep->old.n},
                                              .new_side = {.bytes = deep->new_side.bytes, .n = deep->new_side.n}};
    _cleanup_(hf_buf_done) struct hf_buf other_body = HF_BUF_INIT(SIZE_MAX / 2);
    bool parts = in_parts(deep), others = parts;

    for (size_t i = 0; i < deep->recipe.setups_n; i++)
        others |= deep->recipe.setups[i].setup.codec != PACK_CODEC_ZSTD_DECISIONS;
    if (deep->recipe.shared_streams == 0 || !others || (r < 0 && !too_much(r)))
        return r;
    int r2 = unpack_both(&other, err);
    if (r2 < 0 || (other.recipe.setups_n == 0 && !parts))
        return r2 < 0 && !too_much(r2) ? r2 : r;
    r2 = make_body(&other, &other_body, err);
    if (r2 < 0 || (r == 0 && other_body.n >= body->n))
        return r2 < 0 && !too_much(r2) ? r2 : r;
    struct deep first = *deep;
    struct hf_buf first_body = *body;
    *deep = other;
    *body = other_body;
    other = first;
    other_body = first_body;
    return 0;
}

int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                   const struct hf_deep_create_params *params, const struct hf_delta_out *patch, struct hf_err *err)
{
    _cleanup_(deep_done) struct deep deep = {
        .params = params, .old = {.bytes = old, .n = old_n}, .new_side = {.bytes = new_bytes, .n = new_n}};
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    const struct hf_delta_create_params *plain = params != NULL ? &params->delta : NULL;
    bool parts = params != NULL && params->parts_n > 0;
    int r = hf_delta_create_fits(old_n, new_n, err);

    deep.quick = params != NULL && params->delta.profile == HF_DELTA_FAST && !params->inside && !parts;
    deep.decisions = !deep.quick;
    deep.unpacked_left = params != NULL && params->unpacked_max > 0 ? params->unpacked_max : UINT64_MAX;
    if (r < 0)
        return r;
    if (parts && params->parts_n > HF_DEEP_MAX_PARTS)
        return hf_err_set(err, E2BIG, "more than %d parts", HF_DEEP_MAX_PARTS);
    if (params == NULL || !params->plain)
        r = unpack_both(&deep, err);
    if (r == 0 && deep.recipe.setups_n == 0 && !parts)
        return hf_delta_create(old, old_n, new_bytes, new_n, plain, patch, err);
    if (r == 0 && !parts && (r = try_plain(&deep, patch, err)) > 0)
        return 0;
    if (r == 0)
        r = try_without_decisions(&deep, &body, make_body(&deep, &body, err), err);
    if (too_much(r) && !parts) /* unpacked it is too much */
        return hf_delta_create(old, old_n, new_bytes, new_n, plain, patch, err);
    return r == 0 ? choose(&deep, &body, patch, err) : r;
}
