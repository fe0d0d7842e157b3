/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/image/predict.h"

#include <string.h>

#include "base/endian.h"
#include "delta/image/elf.h"
#include "delta/image/golang.h"

void delta_predictor_reset(struct delta_predictor *p)
{
    if (!p->shared->by_map) {
        memset(p->exact, 0, sizeof(p->exact));
        memset(p->coarse, 0, sizeof(p->coarse));
    }
    memset(p->last_by, 0, sizeof(p->last_by));
    memset(&p->announced, 0, sizeof(p->announced));
    memset(&p->pair, 0, sizeof(p->pair));
    p->pair_next = 0;
    p->tar_old_pos = UINT64_MAX;
    p->tar_growth = 0;
    p->segments.n = 0;
    p->go = (struct delta_go_cursor){0};
    p->jumps = (struct delta_jumps){0};
    memset(&p->image, 0, sizeof(p->image));
}

unsigned delta_predictor_of(enum delta_machine machine)
{
    return machine == DELTA_MACHINE_ARM     ? DELTA_PREDICT_ARM
           : machine == DELTA_MACHINE_I386  ? DELTA_PREDICT_I386
           : machine == DELTA_MACHINE_RISCV ? DELTA_PREDICT_RISCV
                                            : DELTA_PREDICT_REFERENCES;
}

static struct delta_moved *moved_slot(struct delta_moved *table, unsigned bits, uint64_t key)
{
    return &table[(uint32_t)(key * 0x9e3779b97f4a7c15u >> 32) >> (32 - bits)];
}

static void add_candidate(struct delta_guess *g, uint64_t target, uint64_t word)
{
    for (unsigned i = 0; i < g->n; i++)
        if (g->word[i] == word)
            return;
    if (g->n == 0)
        g->target = target;
    if (g->n < DELTA_CANDIDATES)
        g->word[g->n++] = word;
}

static uint64_t moved_address(const struct delta_predictor *p, uint64_t position, enum delta_map_found *ret_found)
{
    int64_t shift = 0;

    if (position >= DELTA_MEMORY) {
        *ret_found = DELTA_MAP_NONE;
        return position - DELTA_MEMORY;
    }
    *ret_found = delta_map_shift(&p->shared->map, position, &shift);
    return delta_address_of(&p->segments, position + (uint64_t)shift);
}

static void add_moved(struct delta_guess *g, const struct delta_ref *ref, uint64_t target)
{
    add_candidate(g, target, delta_ref_encode(ref, g->site, target, g->base));
}

/* Fills all candidates for a reference, the best first. */
static void guess_word(struct delta_predictor *p, const struct delta_ref *ref, uint64_t new_pos, struct delta_guess *g)
{
    enum delta_map_found found, base_found;
    const struct delta_moved *exact = moved_slot(p->exact, DELTA_EXACT_BITS, ref->target);
    const struct delta_moved *coarse = moved_slot(p->coarse, DELTA_COARSE_BITS, ref->target >> 8);
    uint64_t was = delta_address_of(&p->image.segments, ref->target);
    bool known = !p->shared->by_map && exact->key == (uint32_t)ref->target + 1;
    bool near = !p->shared->by_map && coarse->key == (uint32_t)(ref->target >> 8) + 1;

    g->n = 0;
    g->site = delta_address_of(&p->segments, new_pos);
    g->base = ref->base != 0 ? moved_address(p, ref->base, &base_found) : 0;
    if (known)
        add_moved(g, ref, was + (uint64_t)exact->by);
    if (known && p->shared->only_first)
        return;
    uint64_t mapped = moved_address(p, ref->target, &found);
    g->source = known ? 3 : found == DELTA_MAP_COVERED ? 2 : near ? 1 : 0;
    if (found != DELTA_MAP_COVERED && near)
        add_moved(g, ref, was + (uint64_t)coarse->by);
    if (g->n > 0 && p->shared->only_first)
        return;
    add_moved(g, ref, mapped);
    if (p->shared->only_first)
        return;
    add_moved(g, ref, mapped + (uint64_t)p->last_by[delta_ref_slot(ref->kind)]);
    add_candidate(g, was, ref->word);
}

void delta_predictor_learn(struct delta_predictor *p, const struct delta_ref *ref, const struct delta_guess *g,
                           uint64_t word)
{
    enum delta_map_found found;

    if (ref->kind == DELTA_REF_GO_BUCKET)
        p->last_by[delta_ref_slot(ref->kind)] += (int32_t)((uint32_t)word - (uint32_t)g->word[0]);
    if (delta_ref_is_partial(ref->kind))
        return;
    uint64_t was = delta_address_of(&p->image.segments, ref->target), mapped = moved_address(p, ref->target, &found);
    uint64_t now = delta_ref_decode(ref, word, g->site, g->base, g->target);
    *moved_slot(p->exact, DELTA_EXACT_BITS, ref->target) =
        (struct delta_moved){(uint32_t)ref->target + 1, (int32_t)(now - was)};
    *moved_slot(p->coarse, DELTA_COARSE_BITS, ref->target >> 8) =
        (struct delta_moved){(uint32_t)(ref->target >> 8) + 1, (int32_t)(now - was)};
    p->last_by[delta_ref_slot(ref->kind)] = (int64_t)(now - mapped);
}

/* Determines the image and region of the window, and ends it where either side leaves its image or the old side its
 * region. */
static const struct delta_region *region_of(const struct delta_predictor *p, const struct delta_span *s,
                                            uint64_t *limit)
{
    static const struct delta_region plain = {.kind = DELTA_REGION_PLAIN};
    uint64_t new_at = s->new_pos - p->pair.new_offset, old_at = s->old_pos - p->pair.old_offset, end;
    uint64_t ahead = p->pair_next < p->shared->pairs_n ? p->shared->pairs[p->pair_next].new_offset - s->new_pos : 0;

    /* ^While literals learn old bytes, a later pair may not be active yet: 0 at its start, wrapped behind it. */
    if (ahead > 0)
        *limit = HF_MIN(*limit, ahead);
    if (new_at >= p->pair.new_size || old_at >= p->pair.old_size)
        return &plain;
    const struct delta_region *region = delta_image_region(&p->image, s->old_pos, &end);
    *limit = HF_MIN(*limit, HF_MIN(end - s->old_pos, p->pair.new_size - new_at));
    return region;
}

struct delta_segment delta_predictor_segment(const struct delta_predictor *p, unsigned i)
{
    struct delta_segment s = {0};

    if (i < p->image.segments.n) {
        s = p->image.segments.p[i];
        s.offset += (uint64_t)p->pair.new_offset - p->pair.old_offset;
    }
    return s;
}

bool delta_predictor_enters(const struct delta_predictor *p, uint64_t new_pos)
{
    return p->pair_next < p->shared->pairs_n && p->shared->pairs[p->pair_next].new_offset <= new_pos;
}

/* Reads the old image of the active pair. */
static int read_image(struct delta_predictor *p, struct hf_err *err)
{
    struct delta_shared_context *s = p->shared;

    if (memcmp(&s->last_pair, &p->pair, sizeof(p->pair)) != 0) {
        s->last_pair = (struct delta_pair){0};
        int r = delta_image_read(s->old, p->pair.old_offset, p->pair.old_size, &s->last_image, err);
        if (r < 0)
            return r;
        s->last_pair = p->pair;
    }
    p->image = s->last_image;
    return 0;
}

int delta_predictor_enter(struct delta_predictor *p, uint64_t new_pos,
                          int (*code)(void *ctx, struct delta_predictor *p, const struct delta_segments *truth),
                          void *ctx, struct hf_err *err)
{
    const struct delta_shared_context *s = p->shared;
    int r;

    while (p->pair_next < s->pairs_n && s->pairs[p->pair_next].new_offset <= new_pos) {
        p->pair = s->pairs[p->pair_next++];
        if (new_pos - p->pair.new_offset >= p->pair.new_size)
            continue;
        p->go = (struct delta_go_cursor){0};
        p->jumps = (struct delta_jumps){0};
        if ((r = read_image(p, err)) < 0)
            return r;
        if ((s->predictors & delta_predictor_of(p->image.machine)) == 0)
            p->image.machine = DELTA_MACHINE_NONE;
        if ((r = code(ctx, p, s->new_images != NULL ? &s->new_images[p->pair_next - 1].segments : NULL)) < 0)
            return r;
    }
    return 0;
}

enum { TAR_SUM_AT = 148 };

/* Returns the sum of new - old over the part of the tar header that precedes byte `n` of the window. */
static int64_t tar_growth(const struct delta_predictor *p, const struct delta_span *s, const unsigned char *new_bytes,
                          size_t n)
{
    size_t into = (size_t)((s->old_pos + n) & 511), from = n > into ? n - into : 0;
    int64_t grown = n < into && p->tar_old_pos == s->old_pos ? p->tar_growth : 0;

    for (; from < n; from++)
        if (((s->old_pos + from) & 511) < TAR_SUM_AT)
            grown += new_bytes[from] - s->old[from];
    return grown;
}

void delta_predictor_made(struct delta_predictor *p, const struct delta_span *s, const unsigned char *made)
{
    if (s->region != DELTA_REGION_PLAIN)
        return;
    p->tar_growth = tar_growth(p, s, made, s->n);
    p->tar_old_pos = s->old_pos + s->n;
}

/* Predicts the bucket at new_pos from the positions of functions. */
static int guess_bucket(struct delta_predictor *p, const struct delta_ref *ref, uint64_t new_pos, struct delta_guess *g,
                        struct hf_err *err)
{
    const uint32_t *rows;
    int64_t shift = 0;

    (void)delta_map_shift(&p->shared->map, p->image.go.find, &shift);
    uint64_t bucket = (new_pos - (p->image.go.find + (uint64_t)shift)) / DELTA_GO_BUCKET_BYTES;
    int r = delta_go_bucket(p, bucket < DELTA_GO_FUNCTIONS_MAX ? bucket : 0, &rows, err);
    if (r < 0)
        return r;
    uint32_t word = rows[0] + (uint32_t)p->last_by[delta_ref_slot(DELTA_REF_GO_BUCKET)];
    if (ref->kind == DELTA_REF_GO_PARTS) {
        word = 0;
        for (unsigned i = 0; i < 4; i++)
            word |= ((rows[ref->extra - 4 + i] - rows[0]) & 255) << (8 * i);
    }
    *g = (struct delta_guess){.source = 2};
    add_candidate(g, 0, word);
    add_candidate(g, 0, ref->word);
    return 0;
}

/* Reads the old bytes around the window, finds their references and predicts. Extends the window to the end of its
 * last reference. */
int delta_predictor_window(struct delta_predictor *p, struct delta_span *s, size_t window, uint64_t copy_left,
                           struct hf_err *err)
{
    const struct delta_shared_context *set = p->shared;
    uint64_t limit = copy_left, want = HF_MIN((uint64_t)DELTA_SCAN_BEFORE, s->old_pos);
    const struct delta_region *region = region_of(p, s, &limit);
    int r;

    s->n = (size_t)HF_MIN(limit, (uint64_t)window);
    s->old = p->old_bytes + DELTA_SCAN_BEFORE;
    s->region = delta_region_slot(region->kind);
    bool predicts = (set->predictors & DELTA_PREDICT_REFERENCES) != 0;
    memset(p->old_bytes, 0, DELTA_SCAN_BEFORE);
    r = delta_old_read(set->old, s->old_pos - want, p->old_bytes + DELTA_SCAN_BEFORE - want,
                       (size_t)want + s->n + 16 + DELTA_SCAN_AFTER, err);
    if (r < 0)
        return r;
    s->refs = 0;
    if (predicts && delta_go_has(region->kind)) {
        r = delta_go_scan(set->old, &p->image, region, s->old, s->n, (size_t)HF_MIN(limit, (uint64_t)s->n + 16),
                          s->old_pos, &p->go, p->refs, &s->refs, err);
        if (r < 0)
            return r;
    } else if (predicts && delta_jump_has(&p->image, region->kind)) {
        s->refs = delta_jump_scan(&p->image, s->old, s->n, (size_t)HF_MIN(limit, (uint64_t)s->n + 16), s->old_pos,
                                  &p->jumps, p->refs);
    } else if (predicts)
        s->refs = delta_refs_scan(&p->image, region, s->old, s->n, (size_t)HF_MIN(limit, (uint64_t)s->n + 16),
                                  s->old_pos, &p->announced, p->refs);
    if (s->refs > 0)
        s->n = HF_MAX(s->n, (size_t)p->refs[s->refs - 1].at + p->refs[s->refs - 1].n);
    memcpy(p->predicted, s->old, s->n);
    for (size_t i = 0; i < s->refs; i++) {
        struct delta_ref *ref = &p->refs[i];
        if (ref->kind == DELTA_REF_GO_BUCKET || ref->kind == DELTA_REF_GO_PARTS) {
            if ((r = guess_bucket(p, ref, s->new_pos + ref->at - ref->extra, &p->guesses[i], err)) < 0)
                return r;
            hf_put_le(p->predicted + ref->at, ref->n, p->guesses[i].word[0]);
            continue;
        }
        if (ref->kind == DELTA_REF_TAR_SUM) {
            uint64_t sum = ref->target + (uint64_t)tar_growth(p, s, p->predicted, ref->at);
            p->guesses[i] = (struct delta_guess){.n = 1, .source = 2, .word = {delta_ref_encode(ref, 0, sum, 0)}};
            hf_put_le(p->predicted + ref->at, ref->n, p->guesses[i].word[0]);
            continue;
        }
        guess_word(p, &p->refs[i], s->new_pos + p->refs[i].at, &p->guesses[i]);
        hf_put_le(p->predicted + p->refs[i].at, p->refs[i].n, p->guesses[i].word[0]);
    }
    return 0;
}
