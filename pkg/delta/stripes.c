/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/stripes.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "delta/io/serialized_io.h"
#include "delta/shared_context.h"

/* Limit of a stripe's coded literals, even if every bit is predicted badly; checked before memory is allocated. */
enum { DELTA_STRIPE_CODED_MAX = 1 << 20 };

/* Flags in the lowest bits of a stripe's first number; the bits above hold the size of its literals. */
enum { MORE = 1, QUICK = 2, BITS = 2 };

enum {
    ASIDE_MIN = 128,   /* bytes of coded literals that are worth a thread */
    LITERALS_SLOTS = 3 /* windows of the old file for literals, which read few places */
};

struct stripe {
    uint64_t start, end;
    size_t literals; /* size when coded */
    bool quick, more;
};

static int read_head(struct delta_input *input, uint64_t start, uint64_t end, struct stripe *ret_stripe,
                     struct hf_err *err)
{
    uint64_t head, n;
    int r = delta_input_varint(input, (uint64_t)DELTA_STRIPE_CODED_MAX << BITS | QUICK | MORE, &head, err);

    if (r < 0)
        return r;
    *ret_stripe = (struct stripe){.start = start,
                                  .end = end,
                                  .literals = (size_t)(head >> BITS),
                                  .quick = (head & QUICK) != 0,
                                  .more = (head & MORE) != 0};
    if (!ret_stripe->more)
        return 0;
    if ((r = delta_input_varint(input, end - start, &n, err)) < 0)
        return r;
    if (n == 0 || n == end - start)
        return hf_err_set(err, EBADMSG, "delta is damaged: invalid stripe size");
    ret_stripe->end = start + n;
    return 0;
}

/* ---- applying -------------------------------------------------------------------------------------------------- */

struct delta_stripes {
    struct delta_apply_state *apply;
    struct delta_serialized_io serialized;
    struct delta_model *model;
    struct delta_literals *literals;
    struct delta_literal_queue *queue;
    struct delta_old *old; /* windows of the literals' thread */
    bool two_at_once;
    unsigned char *coded; /* buffer for coded literals */
    size_t coded_max;
    struct delta_cm cm, literals_cm;
    struct stripe stripe; /* the current one */
};

static bool has_processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

int delta_stripes_open(struct delta_apply_state *apply, struct delta_shared_context *shared,
                       struct delta_stripes **ret_stripes, struct hf_err *err)
{
    struct delta_stripes *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return delta_no_memory(err);
    s->apply = apply;
    s->two_at_once = has_processors();
    delta_serialized_io_begin(&s->serialized, apply->input, apply->old, &apply->output);
    s->old = malloc(sizeof(*s->old));
    s->queue = delta_literal_queue_new();
    s->model = delta_model_new(shared);
    s->literals = s->old != NULL ? delta_literals_new(shared, s->old) : NULL;
    if (s->queue == NULL || s->model == NULL || s->literals == NULL) {
        delta_stripes_close(s);
        return delta_no_memory(err);
    }
    delta_old_init(s->old, apply->old->file);
    s->old->slots = LITERALS_SLOTS;
    *ret_stripes = s;
    return 0;
}

void delta_stripes_close(struct delta_stripes *s)
{
    delta_serialized_io_end(&s->serialized);
    delta_literals_free(s->literals);
    delta_model_free(s->model);
    delta_literal_queue_free(s->queue);
    free(s->old);
    free(s->coded);
    free(s);
}

/* Decodes all literals of the stripe. */
static void *decode_literals(void *ctx)
{
    struct delta_stripes *s = ctx;
    struct hf_err err = HF_ERR_INIT;

    delta_cm_start_decoding_bytes(&s->literals_cm, s->coded, s->stripe.literals, &err);
    int r = delta_literals_decode(s->literals, &s->literals_cm, s->stripe.start, s->stripe.end, s->queue, &err);
    if (r == 0)
        r = delta_cm_finish(&s->literals_cm);
    delta_literal_queue_end(s->queue, r, &err);
    return NULL;
}

/* Decodes the literals in a thread of their own if that helps; it blocks signals, which are for the other threads.
 * False: the literals are already decoded. */
static bool start_literals(struct delta_stripes *s, pthread_t *ret_thread)
{
    sigset_t all, before;
    bool started = false;

    if (s->stripe.literals == 0) {
        delta_literal_queue_end(s->queue, 0, NULL);
        return false;
    }
    if (s->two_at_once && s->stripe.literals >= ASIDE_MIN) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        started = pthread_create(ret_thread, NULL, decode_literals, s) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (!started)
        (void)decode_literals(s);
    return started;
}

static int read_literals(struct delta_stripes *s, struct hf_err *err)
{
    size_t n = s->stripe.literals;

    if (n > s->coded_max) {
        free(s->coded);
        s->coded_max = 0;
        if ((s->coded = malloc(n)) == NULL)
            return delta_no_memory(err);
        s->coded_max = n;
    }
    return n > 0 ? delta_input_read(s->apply->input, s->coded, n, err) : 0;
}

static int decode_copies(struct delta_stripes *s, struct hf_err *err)
{
    int r = delta_model_decode(s->model, &s->cm, s->stripe.start, s->stripe.end, s->queue, &s->apply->output, err);

    return r < 0 ? r : delta_cm_finish(&s->cm);
}

static int apply_stripe(struct delta_stripes *s, struct hf_err *err)
{
    pthread_t thread;
    int r = read_literals(s, err);

    if (r < 0 || (r = delta_part_open(s->apply, &s->cm, err)) < 0)
        return r;
    delta_literal_queue_begin(s->queue);
    bool aside = start_literals(s, &thread);
    r = decode_copies(s, err);
    if (aside)
        (void)pthread_join(thread, NULL);
    return r < 0 ? r : delta_literal_queue_check(s->queue, err);
}

int delta_stripes_apply(struct delta_stripes *s, uint64_t start, uint64_t end, struct hf_err *err)
{
    int r = 0;

    for (uint64_t at = start; r == 0 && at < end; at = s->stripe.end) {
        if ((r = read_head(s->apply->input, at, end, &s->stripe, err)) < 0)
            return r;
        if (at == start) {
            delta_model_reset(s->model, s->stripe.quick);
            delta_literals_reset(s->literals, s->stripe.quick, NULL);
        }
        r = apply_stripe(s, err);
    }
    return r;
}

int delta_stripes_skip(struct delta_input *input, struct hf_err *err)
{
    struct stripe stripe;
    uint64_t n;
    int r;

    do {
        if ((r = read_head(input, 0, DELTA_BLOCK, &stripe, err)) < 0 ||
            (r = delta_input_skip(input, stripe.literals, err)) < 0 ||
            (r = delta_input_varint(input, input->left, &n, err)) < 0 || (r = delta_input_skip(input, n, err)) < 0)
            return r;
    } while (stripe.more);
    return 0;
}

/* ---- creating -------------------------------------------------------------------------------------------------- */

/* Returns the end of the stripe that begins at `start`: the stripe holds as many literals as it may, or reaches the
 * end of the block. */
static uint64_t end_of(const struct delta_stripe_encoder *k, uint64_t start, uint64_t end)
{
    const struct delta_map *map = k->map;
    const struct delta_map_entry *e = delta_map_at(map, start), *last = map->p + map->n;
    uint64_t room = k->room, at = start;
    size_t next = 0;

    for (; at < end; e++) {
        uint64_t gap_end = e < last ? HF_MIN((uint64_t)e->new_pos, end) : end;
        while (at < gap_end) {
            struct delta_copy copy = {gap_end, 0, 0};
            (void)delta_copies_next_inline(&k->make->copies, &next, at, gap_end, &copy);
            if (room < sizeof(struct delta_literal_run) + (copy.new_pos - at))
                return room > sizeof(struct delta_literal_run) ? at + room - sizeof(struct delta_literal_run) : at;
            room -= sizeof(struct delta_literal_run) + (copy.new_pos - at);
            at = copy.new_pos + copy.len;
        }
        if (e < last)
            at = HF_MAX(at, (uint64_t)e->new_pos + e->len);
    }
    return end;
}

static int add_varint(struct hf_buf *block, uint64_t value)
{
    unsigned char bytes[10];

    return hf_buf_add(block, bytes, delta_put_varint(bytes, value));
}

static int add_head(struct hf_buf *block, const struct stripe *stripe)
{
    int r = add_varint(block,
                       (uint64_t)stripe->literals << BITS | (stripe->quick ? QUICK : 0u) | (stripe->more ? MORE : 0u));

    return r < 0 || !stripe->more ? r : add_varint(block, stripe->end - stripe->start);
}

static int make_literals(struct delta_stripe_encoder *k, struct stripe *stripe, struct hf_err *err)
{
    bool coded;

    hf_buf_clear(&k->part);
    delta_cm_start_encoding(&k->cm, &k->part);
    int r = delta_literals_encode(k->literals, &k->cm, stripe->start, stripe->end, k->make->new_bytes + stripe->start,
                                  &k->make->copies, &coded, err);
    if (r == 0)
        r = delta_cm_finish(&k->cm);
    stripe->literals = coded ? k->part.n : 0;
    return r;
}

static int make_copies(struct delta_stripe_encoder *k, const struct stripe *stripe, struct hf_err *err)
{
    hf_buf_clear(&k->part);
    delta_cm_start_encoding(&k->cm, &k->part);
    int r = delta_model_encode(k->model, &k->cm, stripe->start, stripe->end, k->make->new_bytes + stripe->start,
                               &k->make->copies, err);
    return r < 0 ? r : delta_cm_finish(&k->cm);
}

int delta_stripes_make(struct delta_stripe_encoder *k, uint64_t start, uint64_t end,
                       struct delta_block_options *options, struct hf_buf *block, struct hf_err *err)
{
    int r = 0;

    delta_model_reset(k->model, options->quick);
    delta_literals_reset(k->literals, options->quick, options);
    for (uint64_t at = start; r == 0 && at < end;) {
        struct stripe stripe = {.start = at, .end = end_of(k, at, end), .quick = at == start && options->quick};
        stripe.more = stripe.end < end;
        if ((r = make_literals(k, &stripe, err)) < 0 || (r = add_head(block, &stripe)) < 0 ||
            (r = hf_buf_add(block, k->part.p, stripe.literals)) < 0 || (r = make_copies(k, &stripe, err)) < 0 ||
            (r = delta_part_add(block, &k->part)) < 0)
            break;
        at = stripe.end;
    }
    return r == -ENOMEM ? delta_no_memory(err) : r;
}
