/* SPDX-License-Identifier: Apache-2.0 */
/* Create a delta: try several variants, keep the smallest.
 *
 * The small profile matches with several thresholds, estimates each variant by compressing it with the quick method 1,
 * and encodes the promising ones with method 2. It takes the smallest of these, of method 1 and of the compressed new
 * file alone; on a tie the first. The fast profile has one variant, or four if the files are close and hold no images.
 *
 * Threads share variants, halves of the new file and blocks; their number does not change the result. */
#include <errno.h>
#include <zstd.h>

#include "delta/blocks.h"
#include "delta/got_plt.h"
#include "delta/images.h"
#include "delta/io/jobs.h"
#include "delta/prune_copies.h"
#include "delta/tables.h"

enum {
    VARIANTS = DELTA_VARIANTS_MAX,
    SMALL_VARIANTS = 3,
    RUNS_MAX = 4096,
    SEEN_LOG = 21 /* log2 of the distance that zstd looks back */
};

/* Number of bytes by which a match must exceed the current copy to end it. */
static const unsigned min_gain_small[SMALL_VARIANTS] = {6, 12, 48}, min_gain_fast[VARIANTS] = {16, 10, 24, 8},
                      min_gain_packed = 6;

struct variant {
    struct delta_make make;
    /* bodies of methods 1, 2 and, if small, 4; max 0: not made */
    struct hf_buf quick, coded, runs;
    size_t quick_n; /* size of `quick`, or an estimate of it */
};

struct creation {
    const unsigned char *old, *new_bytes;
    size_t old_n, new_n;
    const struct hf_delta_create_params *params;
    enum hf_delta_profile profile;
    unsigned workers;
    struct delta_found old_images, new_images;
    unsigned char *old_blanked, *new_blanked;
    struct delta_matcher matcher;
    struct variant variants[VARIANTS];
    unsigned variants_n;
    size_t standalone;   /* set by measure_standalone(); 0: not measured */
    bool incompressible; /* the new file does not compress */
};

static struct hf_buf take_buf(struct hf_buf *buf)
{
    struct hf_buf taken = *buf;

    *buf = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
    return taken;
}

static void matching_done(struct creation *s)
{
    delta_matcher_done(&s->matcher);
    free(s->old_blanked);
    free(s->new_blanked);
    s->old_blanked = s->new_blanked = NULL;
}

static void creation_done(struct creation *s)
{
    matching_done(s);
    delta_found_done(&s->old_images);
    delta_found_done(&s->new_images);
    for (unsigned i = 0; i < s->variants_n; i++) {
        struct variant *w = &s->variants[i];
        delta_copies_done(&w->make.copies);
        free(w->make.pairs);
        free(w->make.old_images);
        free(w->make.new_images);
        w->make.pairs = NULL;
        w->make.old_images = w->make.new_images = NULL;
        hf_buf_done(&w->quick);
        hf_buf_done(&w->coded);
        hf_buf_done(&w->runs);
    }
}

/* Sets s->standalone, once, by a quick compression that looks back as far as LZMA. LZMA's result would be between
 * half of that and all of it. */
static int measure_standalone(struct creation *s, struct hf_err *err)
{
    if (s->standalone > 0)
        return 0;
    size_t bound = ZSTD_compressBound(DELTA_BLOCK), sum = 0;
    char *packed = malloc(HF_MIN(bound, ZSTD_compressBound(s->new_n)));
    ZSTD_CCtx *context = ZSTD_createCCtx();

    if (context != NULL) {
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, SEEN_LOG);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
    }
    bool known = packed != NULL && context != NULL;
    for (size_t at = 0; known && at < s->new_n; at += DELTA_BLOCK) {
        size_t n = HF_MIN((size_t)DELTA_BLOCK, s->new_n - at);
        size_t got = ZSTD_compress2(context, packed, ZSTD_compressBound(n), s->new_bytes + at, n);
        known = !ZSTD_isError(got); /* the output has room for every result, but zstd may run out of memory */
        sum += got;
    }
    (void)ZSTD_freeCCtx(context);
    free(packed);
    s->standalone = known ? sum : 0;
    return known ? 0 : delta_no_memory(err);
}

/* True if the new file does not compress, which compressed data does not. */
static bool is_incompressible(const struct creation *s)
{
    return s->standalone >= s->new_n - s->new_n / 64;
}

/* Finds the images of the old file (0) or the new one (1), and blanks their references. */
static int find_images(void *ctx, HF_UNUSED unsigned worker, unsigned i, struct hf_err *err)
{
    struct creation *s = ctx;
    struct delta_found *found = i == 0 ? &s->old_images : &s->new_images;
    const unsigned char *bytes = i == 0 ? s->old : s->new_bytes;
    size_t n = i == 0 ? s->old_n : s->new_n;
    int r = delta_images_find(bytes, n, found, err);

    if (r == 0 && found->n > 0)
        r = delta_images_blank(found, bytes, n, i == 0 ? &s->old_blanked : &s->new_blanked, err);
    return r;
}

/* Small files cost less time than starting threads. */
static unsigned workers_for_sides(const struct creation *s)
{
    return s->old_n + s->new_n < DELTA_BLOCK / 4 ? 1 : s->workers;
}

static int matching_open(struct creation *s, struct hf_err *err)
{
    const struct delta_jobs sides = {2, s, find_images};
    const unsigned char *old = s->old, *new_bytes = s->new_bytes;
    int r = delta_jobs_run(&sides, workers_for_sides(s), err);

    if (r < 0)
        return r;
    if (s->old_images.n > 0 && s->new_images.n > 0) {
        old = s->old_blanked;
        new_bytes = s->new_blanked;
        if (s->params != NULL && s->params->on_idle != NULL)
            s->params->on_idle(s->params->on_idle_ctx);
    }
    return delta_matcher_open(&s->matcher, old, s->old_n, new_bytes, s->new_n, s->profile == HF_DELTA_FAST, err);
}

/* Encodes method 4 from the copies as found: matching tables by entries makes more and shorter ones. */
static int make_runs(struct variant *w, struct hf_err *err)
{
    int r = delta_make_runs(&w->make, &w->runs);

    if (r == -E2BIG) {
        hf_buf_done(&w->runs);
        w->runs.max = 0;
        return 0;
    }
    return r < 0 ? delta_no_memory(err) : 0;
}

/* Counts of bytes at even intervals of the new file. */
struct byte_sample {
    uint32_t count[256], n;
};

static struct byte_sample sample_of(const struct creation *s)
{
    enum { SAMPLES = 1 << 13 };
    struct byte_sample sample = {.n = 0};

    /* odd, so that the samples fall on all positions in a word */
    for (size_t at = 0; at < s->new_n; at += (s->new_n / SAMPLES) | 1, sample.n++)
        sample.count[s->new_bytes[at]]++;
    return sample;
}

/* True if the bytes of the new file look compressed. Then the files share only short pieces, and no other copies
 * cover them. The bytes of compressed data, except the zero bytes between members of an archive, are spread as
 * evenly as if there were at least DIFFERENT values (Thumb code reaches 134, compressed data 205 and more). */
static bool looks_compressed(const struct creation *s)
{
    enum { DIFFERENT = 170 };
    const struct byte_sample sample = sample_of(s);
    uint64_t pairs = 0, n = sample.n - sample.count[0];

    for (unsigned i = 1; i < 256; i++)
        pairs += (uint64_t)sample.count[i] * sample.count[i];
    return n > sample.count[0] && n * n > pairs * DIFFERENT;
}

/* True if nearly all bytes of the new file have one value: LZMA stores them in less space than copies take. */
static bool is_one_byte(const struct creation *s)
{
    const struct byte_sample sample = sample_of(s);
    uint32_t most = 0;

    for (unsigned i = 0; i < 256; i++)
        most = HF_MAX(most, sample.count[i]);
    return most >= sample.n - sample.n / 16;
}

/* True if copies cover nearly all of the new file. Then another variant takes little time, and in unknown tables the
 * best variant may be a quarter smaller than the next. False with images, whose pairing takes long. */
static bool is_close(const struct creation *s)
{
    enum { FEW = 8 }; /* fewer copies are as good as it gets */
    const struct delta_copies *copies = &s->variants[0].make.copies;
    uint64_t covered = 0;

    for (size_t i = 0; i < copies->n; i++)
        covered += copies->p[i].len;
    return (s->old_images.n == 0 || s->new_images.n == 0) && copies->n > FEW && covered >= s->new_n - s->new_n / 8;
}

/* Progress after the last byte: only gives the caller a chance to cancel. */
static int report_total(void *ctx, HF_UNUSED uint64_t done, uint64_t total)
{
    const struct hf_delta_create_params *params_copy = ctx;

    return params_copy->progress != NULL ? params_copy->progress(params_copy->progress_ctx, total, total) : 0;
}

/* Finds the copies of all variants in one pass, which share most of the work. The fast profile has one variant, and
 * three more if that one is close. */
static int match_variants(struct creation *s, struct hf_err *err)
{
    struct delta_copies *copies[VARIANTS];
    struct hf_delta_create_params params_copy =
        s->params != NULL ? *s->params : (struct hf_delta_create_params){.threads = 0};
    bool fast = s->profile == HF_DELTA_FAST;
    const unsigned *min_gain = !fast ? min_gain_small : s->incompressible ? &min_gain_packed : min_gain_fast;
    struct delta_match_params params = {min_gain, s->variants_n, s->workers, params_copy.progress,
                                        params_copy.progress_ctx};

    for (unsigned i = 0; i < VARIANTS; i++)
        copies[i] = &s->variants[i].make.copies;
    int r = delta_match(&s->matcher, &params, copies, err);
    if (r < 0 || !fast || s->incompressible || !is_close(s))
        return r;
    params = (struct delta_match_params){min_gain_fast + 1, VARIANTS - 1, s->workers, report_total, &params_copy};
    r = delta_match(&s->matcher, &params, copies + 1, err);
    s->variants_n = VARIANTS;
    return r;
}

static int prune_variant(void *ctx, HF_UNUSED unsigned worker, unsigned i, struct hf_err *err)
{
    struct creation *s = ctx;
    int r = make_runs(&s->variants[i], err);

    if (r == 0 && s->profile == HF_DELTA_SMALL &&
        /* in incompressible files no other copy covers what a pruned one did */
        !s->incompressible)
        delta_prune_copies(&s->variants[i].make.copies, s->matcher.old, s->matcher.new_bytes);
    return r;
}

/* Runs without the matcher's memory. */
static int pair_variant(void *ctx, HF_UNUSED unsigned worker, unsigned i, struct hf_err *err)
{
    struct creation *s = ctx;
    int r = delta_images_pair(&s->variants[i].make, &s->old_images, &s->new_images, err);

    if (r == 0)
        r = delta_got_plt_match(&s->variants[i].make, err);
    return r < 0 ? r : delta_tables_match(&s->variants[i].make, err);
}

static int match_all(struct creation *s, struct hf_err *err)
{
    int r = matching_open(s, err);

    if (r == 0)
        r = match_variants(s, err);
    const struct delta_jobs prune = {s->variants_n, s, prune_variant}, pair = {s->variants_n, s, pair_variant};
    delta_matcher_done(&s->matcher); /* frees most of the memory */
    if (r == 0)
        r = delta_jobs_run(&prune, s->workers, err);
    matching_done(s);
    return r < 0 ? r : delta_jobs_run(&pair, s->workers, err);
}

/* True if the encoder's own memory exceeds the files: then one worker encodes one variant at a time. */
static bool is_small(const struct creation *s, const struct delta_blocks_ops *ops)
{
    return s->old_n + s->new_n < (ops == &delta_blocks_cm ? DELTA_BLOCK / 2 : DELTA_BLOCK);
}

/* Keeps the smallest body; on a tie the one with the lowest index. */
static void keep_body(struct creation *s, const struct delta_blocks_ops *ops, unsigned i, struct hf_buf *body)
{
    bool coded = ops == &delta_blocks_cm;

    if (!coded)
        s->variants[i].quick_n = body->n;
    if (ops == &delta_blocks_quick) {
        hf_buf_done(body);
        return;
    }
    for (unsigned k = 0; k < s->variants_n; k++) {
        struct hf_buf *other = coded ? &s->variants[k].coded : &s->variants[k].quick;
        if (other->max == 0)
            continue;
        if (body->n > other->n || (body->n == other->n && i > k)) {
            hf_buf_done(body);
            return;
        }
        hf_buf_done(other);
        other->max = 0;
    }
    *(coded ? &s->variants[i].coded : &s->variants[i].quick) = *body;
}

/* Encodes the variants whose numbers are in `which`. */
static int code_variants(struct creation *s, const struct delta_blocks_ops *ops, const unsigned *which, unsigned n,
                         struct hf_err *err)
{
    unsigned at_once = is_small(s, ops) ? 1 : n, workers = is_small(s, ops) ? 1 : s->workers;
    int r = 0;

    for (unsigned first = 0; r == 0 && first < n; first += at_once) {
        struct hf_buf bodies[VARIANTS];
        const struct delta_make *makes[VARIANTS] = {NULL};
        for (unsigned i = 0; i < at_once; i++) {
            makes[i] = &s->variants[which[first + i]].make;
            bodies[i] = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
        }
        r = delta_blocks_make(ops, makes, at_once, workers, bodies, err);
        for (unsigned i = 0; i < at_once; i++)
            keep_body(s, ops, which[first + i], &bodies[i]);
    }
    return r;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

struct chosen_body {
    struct hf_buf body;
    unsigned method;
};

static void offer(struct chosen_body *choice, struct hf_buf *body, unsigned method)
{
    if (body->max > 0 && (choice->method == DELTA_METHOD_NONE || body->n < choice->body.n)) {
        hf_buf_done(&choice->body);
        choice->body = take_buf(body);
        choice->method = method;
    }
}

static unsigned best_variant(const struct creation *s)
{
    unsigned best = 0;

    for (unsigned i = 1; i < s->variants_n; i++)
        if (s->variants[i].quick_n < s->variants[best].quick_n)
            best = i;
    return best;
}

/* Selects the variants worth encoding well: the best one and, if that is cheap, those nearly as good. Returns their
 * number. */
static unsigned promising_variants(const struct creation *s, unsigned *ret_which)
{
    enum { CLOSE = 16, NEAR = 32 };
    unsigned best = best_variant(s), n = 1;
    size_t least = s->variants[best].quick_n;
    bool cheap = s->profile == HF_DELTA_FAST || least < s->new_n / CLOSE;
    ret_which[0] = best;
    for (unsigned i = 0; i < s->variants_n; i++)
        if (i != best && cheap && s->variants[i].quick_n <= least + least / NEAR)
            ret_which[n++] = i;
    return n;
}

static int offer_coded(struct creation *s, struct chosen_body *choice, struct hf_err *err)
{
    unsigned which[VARIANTS], n = promising_variants(s, which);
    size_t least = s->variants[which[0]].quick_n;

    if (least > s->new_n - s->new_n / 256 && s->incompressible) /* the old file does not help either */
        return 0;
    int r = code_variants(s, &delta_blocks_cm, which, n, err);
    for (unsigned i = 0; r == 0 && i < n; i++)
        offer(choice, &s->variants[which[i]].coded, DELTA_METHOD_RECORDS_CM);
    return r;
}

/* Offers the new file compressed alone, which may win if the old one helps little. Trying costs much time, so only
 * do so if it can win: LZMA makes seven to nine tenths of what zstd's quick level does. */
static int offer_standalone(struct creation *s, struct chosen_body *choice, struct hf_err *err)
{
    struct hf_buf standalone = HF_BUF_INIT(SIZE_MAX / 2);
    const struct delta_make make = {.new_bytes = s->new_bytes, .new_n = s->new_n};
    bool fast = s->profile == HF_DELTA_FAST;
    size_t have = choice->body.n;

    if (have < s->new_n / (fast ? 2 : 5) && !is_one_byte(s))
        return 0;
    int r = measure_standalone(s, err);
    if (r < 0 || is_incompressible(s) || s->standalone / 8 * (fast ? 6 : 5) > have)
        return r;
    if ((r = delta_make_lzma(&make, &standalone, err)) == 0)
        offer(choice, &standalone, DELTA_METHOD_LZMA);
    hf_buf_done(&standalone);
    return r;
}

/* Encodes method 1 at full effort if its estimate is close to the best body so far. */
static int pack_best(struct creation *s, const struct chosen_body *choice, struct hf_err *err)
{
    enum { FAR = 8 };
    unsigned which[VARIANTS], n = promising_variants(s, which);
    size_t about = s->variants[which[0]].quick_n;

    if (choice->method != DELTA_METHOD_NONE && about - about / FAR > choice->body.n)
        return 0;
    return code_variants(s, &delta_blocks_zstd, which, s->profile == HF_DELTA_FAST ? n : 1, err);
}

static int choose(struct creation *s, struct chosen_body *choice, struct hf_err *err)
{
    static const unsigned all[VARIANTS] = {0, 1, 2, 3};
    bool fast = s->profile == HF_DELTA_FAST, at_once = fast && s->variants_n == 1;
    int r = code_variants(s, at_once ? &delta_blocks_zstd : &delta_blocks_quick, all, s->variants_n, err);

    if (r == 0 && !fast)
        r = offer_coded(s, choice, err);
    if (r == 0 && !at_once)
        r = pack_best(s, choice, err);
    for (unsigned i = 0; r == 0 && i < s->variants_n; i++) {
        offer(choice, &s->variants[i].quick, DELTA_METHOD_RECORDS_ZSTD);
        offer(choice, &s->variants[i].runs, DELTA_METHOD_RUNS);
    }
    return r;
}

/* Offers the new file uncompressed if every other body is longer. */
static int offer_stored(const struct creation *s, struct chosen_body *choice, struct hf_err *err)
{
    struct hf_buf stored = HF_BUF_INIT(SIZE_MAX / 2);
    const struct delta_make make = {.new_bytes = s->new_bytes, .new_n = s->new_n};

    if (choice->body.n <= s->new_n)
        return 0;
    int r = delta_make_stored(&make, &stored);
    if (r == 0)
        offer(choice, &stored, DELTA_METHOD_RUNS);
    hf_buf_done(&stored);
    return r < 0 ? delta_no_memory(err) : 0;
}

static int make_body(struct creation *s, struct chosen_body *choice, struct hf_err *err)
{
    if (s->new_n <= DELTA_BYTES_MAX) { /* its hash would be longer */
        choice->method = DELTA_METHOD_BYTES;
        return hf_buf_add(&choice->body, s->new_bytes, s->new_n) < 0 ? delta_no_memory(err) : 0;
    }
    s->variants_n = s->profile == HF_DELTA_SMALL ? SMALL_VARIANTS : 1;
    s->workers = delta_workers(s->params);
    for (unsigned i = 0; i < VARIANTS; i++) {
        s->variants[i] =
            (struct variant){.quick = HF_BUF_INIT(0), .coded = HF_BUF_INIT(0), .runs = HF_BUF_INIT(RUNS_MAX)};
        s->variants[i].make = (struct delta_make){s->old, s->new_bytes, s->old_n, s->new_n, s->params, .pairs_n = 0};
    }
    int r = s->profile == HF_DELTA_SMALL ? measure_standalone(s, err) : 0;
    s->incompressible = r == 0 && (s->profile == HF_DELTA_SMALL ? is_incompressible(s) : looks_compressed(s));
    if (r == 0)
        r = match_all(s, err);
    if (r == 0)
        r = choose(s, choice, err);
    creation_done(s); /* offer_standalone() needs memory */
    if (r == 0)
        r = offer_standalone(s, choice, err);
    return r == 0 ? offer_stored(s, choice, err) : r;
}

struct digests {
    const struct creation *creation;
    struct delta_header *header;
};

static int hash_side(void *ctx, HF_UNUSED unsigned worker, unsigned i, HF_UNUSED struct hf_err *err)
{
    const struct digests *d = ctx;

    if (i == 0)
        hf_sha256_of(d->creation->old, d->creation->old_n, d->header->old_fingerprint,
                     sizeof(d->header->old_fingerprint));
    else
        hf_sha256_of(d->creation->new_bytes, d->creation->new_n, d->header->new_sha256, sizeof(d->header->new_sha256));
    return 0;
}

int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err)
{
    size_t larger = HF_MAX(old_n, new_n);

    if (larger < HF_DELTA_CREATE_MAX_BYTES)
        return 0;
    return hf_err_set(
        err, EFBIG, "a file of %zu bytes is too large: deltas support files below 2 GiB; split it or publish it whole",
        larger);
}

int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                    const struct hf_delta_create_params *params, const struct hf_delta_out *patch, struct hf_err *err)
{
    struct creation creation = {.old = old,
                                .new_bytes = new_bytes,
                                .old_n = old_n,
                                .new_n = new_n,
                                .params = params,
                                .profile = params != NULL ? params->profile : HF_DELTA_SMALL};
    struct chosen_body choice = {.body = HF_BUF_INIT(SIZE_MAX / 2)};
    struct delta_header header = {.version = DELTA_VERSION, .old_size = old_n, .new_size = new_n};
    unsigned char bytes[DELTA_HEADER_MAX];
    int r = hf_delta_create_fits(old_n, new_n, err);

    if (r == 0)
        r = make_body(&creation, &choice, err);
    if (r == 0) {
        header.profile = creation.profile;
        header.method = choice.method;
        header.body_size = choice.body.n;
        struct digests digests = {&creation, &header};
        const struct delta_jobs sides = {2, &digests, hash_side};
        r = delta_jobs_run(&sides, workers_for_sides(&creation), err);
    }
    if (r == 0) {
        hf_sha256_of(choice.body.p, choice.body.n, header.body_fingerprint, sizeof(header.body_fingerprint));
        r = patch->write(patch->ctx, bytes, delta_header_format(&header, bytes));
        if (r == 0 && choice.body.n > 0)
            r = patch->write(patch->ctx, choice.body.p, choice.body.n);
        if (r < 0)
            r = hf_err_sys(err, r, "write the delta");
    }
    hf_buf_done(&choice.body);
    return r;
}
