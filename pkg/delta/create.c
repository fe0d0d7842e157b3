/* The small profile tries several ways, in as many threads as asked for, and takes the smallest result, the first among equals:
 * so the number of threads changes nothing. The fast one tries a single way. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "delta/create.h"
#include "delta/images.h"
#include "delta/slots.h"
#include "delta/tables.h"

enum { TRIALS = 2, THREADS_MAX = 64 };

/* What all trials share and only read. */
struct source {
    struct delta_make make; /* copied by each trial */
    struct delta_found old_images, new_images;
    unsigned char *old_blanked, *new_blanked;
    struct delta_matcher matcher;
    enum hf_delta_profile profile;
    pthread_mutex_t lock; /* of next, which a thread takes its work by */
    unsigned next, ways;
};

struct trial {
    struct source *source;
    struct hf_buf body;
    struct hf_err err;
    int result;
};

static void source_done(struct source *s)
{
    delta_matcher_done(&s->matcher);
    delta_found_done(&s->old_images);
    delta_found_done(&s->new_images);
    free(s->old_blanked);
    free(s->new_blanked);
    s->old_blanked = s->new_blanked = NULL;
}

static int source_open(struct source *s, struct hf_err *err)
{
    const struct delta_make *make = &s->make;
    const unsigned char *old = make->old, *new_bytes = make->new_bytes;
    int r;

    if ((r = delta_images_find(old, make->old_n, &s->old_images, err)) < 0 ||
        (r = delta_images_find(new_bytes, make->new_n, &s->new_images, err)) < 0)
        return r;
    if (s->old_images.n > 0 && s->new_images.n > 0) {
        if ((r = delta_images_blank(&s->old_images, old, make->old_n, &s->old_blanked, err)) < 0 ||
            (r = delta_images_blank(&s->new_images, new_bytes, make->new_n, &s->new_blanked, err)) < 0)
            return r;
        old = s->old_blanked;
        new_bytes = s->new_blanked;
    }
    if (s->profile == HF_DELTA_FAST)
        return delta_matcher_open_fast(&s->matcher, old, make->old_n, new_bytes, make->new_n, err);
    return delta_matcher_open(&s->matcher, old, make->old_n, new_bytes, make->new_n, err);
}

/* How many more bytes a match must have than the current copy. */
static unsigned better_by(const struct source *s, unsigned way)
{
    return s->profile == HF_DELTA_FAST ? 16 : way == 0 ? 8 : 48;
}

static int try_way(struct source *s, unsigned way, struct hf_buf *body, struct hf_err *err)
{
    struct delta_make make = s->make;
    bool tells = make.params != NULL && way == 0;
    int r = delta_match(&s->matcher, better_by(s, way), tells ? make.params->progress : NULL,
                        tells ? make.params->progress_ctx : NULL, &make.copies, err);

    if (r == 0 && s->profile == HF_DELTA_SMALL)
        delta_copies_keep_worthy(&make.copies, s->matcher.old, s->matcher.new_bytes);
    if (r == 0)
        r = delta_images_pair(&make, &s->old_images, &s->new_images, err);
    if (r == 0)
        r = delta_slots_match(&make, err);
    if (r == 0)
        r = delta_tables_match(&make, err);
    if (r == 0)
        r = s->profile == HF_DELTA_FAST ? delta_make_zstd(&make, body, err) : delta_make_cm(&make, body, err);
    delta_copies_done(&make.copies);
    free(make.pairs);
    free(make.old_images);
    free(make.new_images);
    return r;
}

struct worker {
    struct source *source;
    struct trial *trials;
};

static void *work(void *arg)
{
    const struct worker *w = arg;

    for (;;) {
        pthread_mutex_lock(&w->source->lock);
        unsigned way = w->source->next++;
        pthread_mutex_unlock(&w->source->lock);
        if (way >= w->source->ways)
            return NULL;
        struct trial *t = &w->trials[way];
        t->result = try_way(w->source, way, &t->body, &t->err);
    }
}

static void run_trials(struct source *source, struct trial *trials, unsigned threads)
{
    struct worker worker = {source, trials};
    pthread_t thread[TRIALS] = {0};
    unsigned started = 0;

    pthread_mutex_init(&source->lock, NULL);
    while (started + 1 < HF_MIN(threads, source->ways) && pthread_create(&thread[started], NULL, work, &worker) == 0)
        started++;
    (void)work(&worker);
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&source->lock);
}

static unsigned threads_of(const struct hf_delta_create_params *params)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (params != NULL && params->threads > 0)
        return HF_MIN(params->threads, (unsigned)THREADS_MAX);
    return online > 0 ? (unsigned)HF_MIN(online, (long)THREADS_MAX) : 1;
}

/* Where old helps little, the new file on its own may be smaller; the fast profile finds that out only where it is likely, since it
 * takes longer than all the rest. */
static int try_whole(const struct source *s, struct hf_buf *body, unsigned *method, struct hf_err *err)
{
    const struct delta_make *make = &s->make;
    struct hf_buf whole = HF_BUF_INIT(SIZE_MAX / 2);
    int r;

    if (body->n < make->new_n / (s->profile == HF_DELTA_FAST ? 2 : 5))
        return 0;
    r = delta_make_lzma(make, &whole, err);
    if (r == 0 && whole.n < body->n) {
        struct hf_buf larger = *body;
        *body = whole;
        whole = larger;
        *method = DELTA_METHOD_LZMA;
    }
    hf_buf_done(&whole);
    return r;
}

static int make_body(struct source *source, struct hf_buf *body, unsigned *ret_method, struct hf_err *err)
{
    struct trial trials[TRIALS], *best = &trials[0];
    int r = source_open(source, err);

    for (unsigned i = 0; i < TRIALS; i++)
        trials[i] = (struct trial){.source = source, .body = HF_BUF_INIT(SIZE_MAX / 2)};
    if (r == 0)
        run_trials(source, trials, threads_of(source->make.params));
    for (unsigned i = 0; r == 0 && i < source->ways; i++) {
        if (trials[i].result < 0) {
            r = trials[i].result;
            if (err != NULL)
                *err = trials[i].err;
        } else if (trials[i].body.n < best->body.n) {
            best = &trials[i];
        }
    }
    if (r == 0) {
        *body = best->body;
        best->body = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
        *ret_method = source->profile == HF_DELTA_FAST ? DELTA_METHOD_RECORDS_ZSTD : DELTA_METHOD_RECORDS_CM;
    }
    for (unsigned i = 0; i < TRIALS; i++)
        hf_buf_done(&trials[i].body);
    source_done(source); /* most of the memory; looking at new on its own takes some */
    return r < 0 ? r : try_whole(source, body, ret_method, err);
}

static void digest_of(const void *bytes, size_t n, unsigned char digest[static HF_SHA256_BYTES])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    hf_sha256_final(&hash, digest);
}

int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err)
{
    size_t larger = HF_MAX(old_n, new_n);

    if (larger < HF_DELTA_CREATE_MAX_BYTES)
        return 0;
    return hf_err_set(
        err, EFBIG, "a file of %zu bytes: deltas are made of files below 2 GiB; split it, or publish it whole", larger);
}

int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                    const struct hf_delta_create_params *params, const struct hf_delta_out *patch, struct hf_err *err)
{
    struct source source = {
        .make = {.old = old, .old_n = old_n, .new_bytes = new_bytes, .new_n = new_n, .params = params},
        .profile = params != NULL ? params->profile : HF_DELTA_SMALL};
    source.ways = source.profile == HF_DELTA_FAST ? 1 : TRIALS;
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_header header = {.version = DELTA_VERSION, .old_size = old_n, .new_size = new_n};
    unsigned char bytes[DELTA_HEADER_MAX];
    int r = hf_delta_create_fits(old_n, new_n, err);

    if (r < 0)
        return r;
    r = make_body(&source, &body, &header.method, err);
    if (r < 0)
        return r;
    header.profile = source.profile;
    header.body_size = body.n;
    digest_of(old, old_n, header.old_sha256);
    digest_of(new_bytes, new_n, header.new_sha256);
    digest_of(body.p, body.n, header.body_sha256);
    r = patch->write(patch->ctx, bytes, delta_header_format(&header, bytes));
    if (r == 0 && body.n > 0)
        r = patch->write(patch->ctx, body.p, body.n);
    return r < 0 ? hf_err_sys(err, r, "write the delta") : 0;
}
