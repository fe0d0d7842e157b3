/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence of new is guessed from the sequence of old that covers the same content: where its literals end, where
 * its match ends, and where the copies say that the match's source went. One adaptive bit says that all of it is so.
 * Content is at hand in both directions, so a guess is compared with it first: a match that does not hold is no guess,
 * and one that holds longer is another context.
 *
 * Where the guess fails, each place says whether the match begins there, beside the longest candidate that `places`
 * finds for it; the distance is that of a candidate or of old sequences about the place, or a number; the match is as
 * long as the content allows, or a number. Tables follow from the symbols that they code, which are known by then: each
 * weight is coded beside the length of a best code, each count beside its share.
 *
 * Frames of an encoder whose choices `imitate` knows need neither the guess from old nor the places of bytes.
 *
 * Everything adaptive lasts over blocks and frames. Decisions from outside end in an error here or in the writer. */
#include "pack/zstd/model.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/macros.h"
#include "pack/zstd/imitate.h"
#include "pack/zstd/places.h"
#include "pack/zstd/tables.h"

/* ---- the old sequences ------------------------------------------------------------------------------------------- */

enum { LITERAL_BITS = 18, MATCH_BITS = 18, DISTANCE_BITS = 28 };

static uint64_t item_of(uint32_t literals, uint32_t match, uint32_t distance)
{
    return (uint64_t)literals | (uint64_t)match << LITERAL_BITS |
           (uint64_t)HF_MIN(distance, (1u << DISTANCE_BITS) - 1) << (LITERAL_BITS + MATCH_BITS);
}

static uint32_t item_literals(uint64_t item)
{
    return item & ((1u << LITERAL_BITS) - 1);
}

static uint32_t item_match(uint64_t item)
{
    return item >> LITERAL_BITS & ((1u << MATCH_BITS) - 1);
}

static uint32_t item_distance(uint64_t item)
{
    return (uint32_t)(item >> (LITERAL_BITS + MATCH_BITS));
}

int pack_zold_open(struct pack_zold *old, const struct pack_store *store)
{
    memset(old, 0, sizeof(*old));
    old->store = *store;
    old->cache = malloc((PACK_ZOLD_CACHED + 1) * sizeof(old->cache[0]));
    if (old->cache == NULL)
        return -ENOMEM;
    old->tail = old->cache[PACK_ZOLD_CACHED];
    return 0;
}

void pack_zold_done(struct pack_zold *old)
{
    free(old->cache);
    free(old->page);
    memset(old, 0, sizeof(*old));
}

/* Zeros where the store cannot be read. */
static uint64_t old_item(struct pack_zold *old, size_t i)
{
    size_t page = i / PACK_ZOLD_PAGE, slot = page % PACK_ZOLD_CACHED, at = 0, n = sizeof(old->cache[0]);
    unsigned char *bytes = (unsigned char *)old->cache[slot];

    if (page + 1 == old->page_n)
        return old->tail[i % PACK_ZOLD_PAGE];
    if (old->cached[slot] == page + 1)
        return old->cache[slot][i % PACK_ZOLD_PAGE];
    while (at < n) {
        ssize_t r = old->store.pread(old->store.ctx, bytes + at, n - at, old->page[page].stored_at + at);
        if (r <= 0) {
            old->failed = r < 0 ? (int)r : -EIO;
            memset(bytes, 0, n);
            break;
        }
        at += (size_t)r;
    }
    old->cached[slot] = page + 1;
    return old->cache[slot][i % PACK_ZOLD_PAGE];
}

static void first_offsets(uint32_t last[3])
{
    last[0] = 1;
    last[1] = 4;
    last[2] = 8;
}

void pack_zold_frame(struct pack_zold *old)
{
    first_offsets(old->last);
}

static int add_item(struct pack_zold *old, uint32_t literals, uint32_t match, uint32_t distance, struct hf_err *err)
{
    if (old->n % PACK_ZOLD_PAGE == 0) {
        if (hf_array_grow(old->page, old->page_n, old->page_cap, HF_ARRAY_ANY) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
        int r = old->n > 0 ? old->store.add(old->store.ctx, old->tail, sizeof(old->cache[0]),
                                            &old->page[old->page_n - 1].stored_at, err)
                           : 0;
        if (r < 0)
            return r;
        old->page[old->page_n++] = (struct pack_zold_page){.content_at = old->content_n};
    }
    old->tail[old->n++ % PACK_ZOLD_PAGE] = item_of(literals, match, distance);
    old->content_n += literals + match;
    return 0;
}

int pack_zold_add(struct pack_zold *old, const struct pack_zframe_block *block, struct hf_err *err)
{
    uint32_t rest = block->content_n;
    int r = 0;

    for (size_t i = 0; r == 0 && block->kind == ZFRAME_COMPRESSED && i < block->n; i++) {
        const struct pack_zframe_sequence *sequence = &block->sequence[i];
        bool none = sequence->literals == 0;
        r = add_item(old, sequence->literals, sequence->match, pack_zplaces_distance(old->last, sequence->offset, none),
                     err);
        pack_zplaces_use(old->last, sequence->offset, none);
        rest -= sequence->literals + sequence->match;
    }
    return r == 0 ? add_item(old, rest, 0, 0, err) : r;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

enum { HISTORY = 16, FITS = 4, SIZES = 18, EQUALS = 8, ESTIMATES = 32, AROUND = 6 };

struct pack_zmodel {
    struct pack_zold *old;
    const struct delta_copies *copies;
    uint32_t *by_old; /* the copies in order of old */
    size_t copy;      /* the last one looked up */
    size_t item;      /* in old, likewise, and its position */
    uint64_t item_at;
    uint32_t last[3];
    unsigned history;
    struct {
        unsigned kind, literals, mode[ZFRAME_ALPHABETS];
    } was;                          /* in the last block */
    struct pack_zslots *slots;      /* NULL: no frame needed them */
    struct pack_zframe_state state; /* of the frame */
    struct {
        struct pack_zimitate *guess; /* NULL: no frame needed it */
        bool is, begun;              /* the frame: is of that encoder; has a block */
        unsigned history;
    } imitated;

    struct {
        uint32_t is, hit[HISTORY][2];
    } imitated_bits;

    uint32_t whole[3][HISTORY][FITS][SIZES];
    uint32_t begins[AROUND][2][2][2][EQUALS], is[ZPLACES_KINDS][FITS][3][SIZES][2];
    uint32_t longest[2][HISTORY][SIZES], odd[SIZES];
    struct delta_number distance[2], match[SIZES], odd_offset;

    uint32_t kind_bits[4][4], last_bit[2], whole_size, literals_bits[4][4], format_bits[4][4][4];
    uint32_t mode_bits[ZFRAME_ALPHABETS][4][4], default_last[4];
    uint32_t weights_fse, weights_log[16], weights_bits[ESTIMATES][16];
    struct delta_number size, single, weights_n, counts_log[4], counts_n[4], count[4][8];
};

static void init_bits(uint32_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bits[i] = DELTA_BIT_INIT;
}

static int by_old_position(const void *a, const void *b, void *ctx)
{
    const struct delta_copies *copies = ctx;
    const struct delta_copy *x = &copies->p[*(const uint32_t *)a], *y = &copies->p[*(const uint32_t *)b];

    return (x->old_pos > y->old_pos) - (x->old_pos < y->old_pos);
}

struct pack_zmodel *pack_zmodel_new(struct pack_zold *old, const struct delta_copies *copies)
{
    struct pack_zmodel *model = calloc(1, sizeof(*model));

    if (model == NULL || (model->by_old = calloc(copies->n + 1, sizeof(uint32_t))) == NULL) {
        free(model);
        return NULL;
    }
    model->old = old;
    model->copies = copies;
    for (size_t i = 0; i < copies->n; i++)
        model->by_old[i] = (uint32_t)i;
    qsort_r(model->by_old, copies->n, sizeof(uint32_t), by_old_position, (void *)(uintptr_t)copies);
    /* All between are adaptive bits, and numbers, which consist of them. */
    uint32_t *from = &model->imitated_bits.is, *to = (uint32_t *)(void *)(model + 1);
    init_bits(from, (size_t)(to - from));
    return model;
}

void pack_zmodel_free(struct pack_zmodel *model)
{
    if (model == NULL)
        return;
    pack_zimitate_free(model->imitated.guess);
    pack_zplaces_slots_free(model->slots);
    free(model->by_old);
    free(model);
}

int pack_zmodel_frame(struct pack_zmodel *model, struct delta_cm *cm, uint64_t window_n, bool imitated)
{
    first_offsets(model->last);
    memset(&model->state, 0, sizeof(model->state));
    model->imitated.begun = false;
    model->imitated.is = delta_bit_code(cm, &model->imitated_bits.is, imitated) != 0;
    if (cm->failed != 0)
        return cm->failed;
    if (!model->imitated.is) {
        if (model->slots == NULL)
            model->slots = pack_zplaces_slots_new();
        return model->slots != NULL ? 0 : -ENOMEM;
    }
    if (model->imitated.guess == NULL && (model->imitated.guess = pack_zimitate_new()) == NULL)
        return -ENOMEM;
    pack_zimitate_frame(model->imitated.guess, window_n);
    return 0;
}

static unsigned code_tree(struct delta_cm *cm, uint32_t *states, unsigned bits, unsigned value)
{
    unsigned node = 1;

    for (unsigned i = bits; i-- > 0;)
        node = node << 1 | delta_bit_code(cm, &states[node], value >> i & 1);
    return node & ((1u << bits) - 1);
}

/* ---- where content was ------------------------------------------------------------------------------------------- */

/* The place in old of new content at `at`. 0: none, 1: behind a copy, 2: in a copy. */
static unsigned place_in_old(struct pack_zmodel *model, uint64_t at, uint64_t *ret_old)
{
    const struct delta_copies *copies = model->copies;

    if (copies->n == 0)
        return 0;
    while (model->copy > 0 && copies->p[model->copy].new_pos > at)
        model->copy--;
    while (model->copy + 1 < copies->n && copies->p[model->copy + 1].new_pos <= at)
        model->copy++;
    const struct delta_copy *copy = &copies->p[model->copy];
    if (at < copy->new_pos)
        return 0;
    *ret_old = copy->old_pos + (at - copy->new_pos);
    return at < copy->new_pos + copy->len ? 2 : *ret_old < model->old->content_n;
}

/* Where old content at `at` went, as seen from the copy at hand. */
static bool place_in_new(const struct pack_zmodel *model, uint64_t at, uint64_t *ret_new)
{
    const struct delta_copies *copies = model->copies;
    const struct delta_copy *copy = &copies->p[model->copy];

    if (at >= copy->old_pos && at < copy->old_pos + copy->len) {
        *ret_new = copy->new_pos + (at - copy->old_pos);
        return true;
    }
    size_t behind = hf_array_lower_bound(i, copies->n, copies->p[model->by_old[i]].old_pos <= at);
    copy = &copies->p[model->by_old[behind > 0 ? behind - 1 : 0]];
    *ret_new = copy->new_pos + (at - copy->old_pos);
    return at >= copy->old_pos && at < copy->old_pos + copy->len;
}

/* Moves the cursor to the item that covers `at`. */
static void seek_item(struct pack_zmodel *model, uint64_t at)
{
    struct pack_zold *old = model->old;
    enum { NEAR = 1 << 16 };

    if (at + NEAR < model->item_at || at > model->item_at + NEAR) {
        size_t page = hf_array_lower_bound(i, old->page_n, old->page[i].content_at <= at) - 1;
        model->item = page * PACK_ZOLD_PAGE;
        model->item_at = old->page[page].content_at;
    }
    while (model->item > 0 && model->item_at > at) {
        uint64_t item = old_item(old, --model->item);
        model->item_at -= item_literals(item) + item_match(item);
    }
    for (;;) {
        uint64_t item = old_item(old, model->item);
        uint64_t n = item_literals(item) + item_match(item);
        if (model->item + 1 >= old->n || at < model->item_at + n)
            return;
        model->item_at += n;
        model->item++;
    }
}

struct guess {
    unsigned place; /* 0: none */
    uint32_t literals, match, distance;
};

/* The sequence that begins at `at`, as it was in old; up to `left` bytes. */
static struct guess guess_sequence(struct pack_zmodel *model, uint64_t at, uint32_t left)
{
    struct guess guess = {.place = 0};
    uint64_t x, source;

    if (model->old->n == 0 || (guess.place = place_in_old(model, at, &x)) == 0)
        return guess;
    seek_item(model, x);
    size_t i = model->item;
    uint64_t start = model->item_at;
    uint64_t item = old_item(model->old, i);
    if (x < start || x - start >= item_literals(item) + item_match(item) + (uint64_t)1) {
        guess.place = 0;
        return guess;
    }
    uint64_t match_at = start + item_literals(item), end = match_at + item_match(item);
    while (i + 1 < model->old->n && match_at - x < left &&
           (item_match(item) == 0 || (x > match_at && end - HF_MIN(end, x) < 3))) {
        item = old_item(model->old, ++i);
        match_at = end + item_literals(item);
        end = match_at + item_match(item);
    }
    uint64_t from = HF_MAX(x, match_at);
    guess.literals = (uint32_t)HF_MIN((uint64_t)left, from - x);
    guess.match = (uint32_t)HF_MIN((uint64_t)(left - guess.literals), end - from);
    if (guess.match < 3) {
        guess.literals = left;
        guess.match = 0;
        return guess;
    }
    guess.distance = item_distance(item);
    if (guess.distance <= from && place_in_new(model, from - guess.distance, &source) && source < at + guess.literals)
        guess.distance = (uint32_t)(at + guess.literals - source);
    return guess;
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

static unsigned size_class(uint32_t n)
{
    return n < 8 ? n : HF_MIN(pack_zframe_log2(n) + 5, (unsigned)SIZES - 1);
}

static unsigned equal_class(uint32_t n)
{
    return n < 8 ? n - HF_MIN(n, 2u) : n < 16 ? EQUALS - 2 : EQUALS - 1;
}

static void find_places(const struct pack_zmodel *model, const struct pack_zcontent *content, uint32_t at,
                        uint32_t left, bool none, struct pack_zplaces *places)
{
    pack_zplaces_find(places, model->imitated.is ? NULL : model->slots, model->last, content, at, left, none);
}

static void enter_places(struct pack_zmodel *model, const struct pack_zcontent *content, uint32_t from, uint32_t to)
{
    if (!model->imitated.is)
        pack_zplaces_enter(model->slots, content, from, to);
}

/* Place by place: does the match begin here? `left` if none does. *places: of that place. */
static uint32_t code_literals(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                              uint32_t at, uint32_t left, const struct guess *guess, unsigned fit, uint32_t literals,
                              struct pack_zplaces *places)
{
    for (uint32_t i = 0; i + 3 <= left && cm->failed == 0; i++) {
        unsigned equal = 0, around = 0;
        bool repeats = false, begun = false; /* the longest candidate: is a last distance; holds before, too */
        *places = (struct pack_zplaces){.n = 0};
        find_places(model, content, at + i, left - i, i == 0, places);
        if (places->n > 0) {
            uint32_t distance = places->p[places->best].distance;
            equal = places->p[places->best].equal;
            repeats = places->p[places->best].kind < ZPLACES_SLOT;
            begun = i > 0 && pack_zplaces_equal(content, at + i - 1, distance, 1) > 0;
        }
        if (guess->place > 0 && guess->match > 0)
            around = i < guess->literals ? 1 : i > guess->literals ? 2 : fit > 0 ? 2 + fit : AROUND - 1;
        uint32_t *state = &model->begins[around][repeats][begun][model->history >> 1 & 1][equal_class(equal)];
        if (delta_bit_code(cm, state, i == literals) != 0)
            return i;
    }
    return left;
}

/* at_guess: `fit` if the match begins where the guess's does. */
static uint32_t code_distance(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                              uint32_t at, uint32_t left, bool none, unsigned at_guess, uint32_t distance,
                              struct pack_zplaces *places)
{
    /* The distances of the old sequence here and of the next one are the first candidates. */
    for (uint32_t i = 0, ahead = 0; i < 2 && ahead < left; i++) {
        struct guess guess = guess_sequence(model, content->at + at + ahead, left - ahead);
        if (guess.place == 0 || guess.match == 0)
            break;
        pack_zplaces_add(places, content, at, left, ZPLACES_OLD + i, guess.distance);
        ahead += guess.literals + guess.match;
    }
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < places->n; i++) {
            unsigned kind = places->p[i].kind, equal = places->p[i].equal;
            unsigned rank = i == places->best ? 0 : equal == places->p[places->best].equal ? 1 : 2;
            if ((kind >= ZPLACES_REPEAT) != (pass == 1))
                continue;
            uint32_t *state = &model->is[kind][kind == ZPLACES_OLD ? at_guess : none][rank][size_class(equal)]
                                        [model->history >> 1 & 1];
            if (delta_bit_code(cm, state, distance == places->p[i].distance) != 0)
                return places->p[i].distance;
        }
    return (uint32_t)delta_number_code(cm, &model->distance[none], distance);
}

static uint32_t code_match(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                           uint32_t at, uint32_t left, uint32_t distance, bool at_guess, uint32_t match)
{
    uint32_t n = pack_zplaces_equal(content, at, distance, left);
    unsigned h = model->history & (HISTORY - 1);

    if (n >= 3 && delta_bit_code(cm, &model->longest[at_guess][h][size_class(n)], match == n) != 0)
        return n;
    return (uint32_t)delta_number_code(cm, &model->match[n < 3 ? 0 : size_class(n)], match);
}

/* The offset's form; the next sequence sees it. False: it means no distance. */
static bool code_offset(struct pack_zmodel *model, struct delta_cm *cm, uint32_t distance, bool none, uint32_t match,
                        uint32_t *offset)
{
    if (distance == 0 || distance > UINT32_MAX - 3)
        return false;
    uint32_t usual = pack_zplaces_offset(model->last, distance, none);
    if (usual > 3 || delta_bit_code(cm, &model->odd[size_class(match)], *offset != usual) == 0)
        *offset = usual;
    else {
        uint64_t odd = delta_number_code(cm, &model->odd_offset, *offset > 3 ? 0 : *offset);
        *offset = odd == 0 || odd > 3 ? distance + 3 : (uint32_t)odd;
    }
    pack_zplaces_use(model->last, *offset, none);
    return true;
}

/* False: it does not fit the content. */
static bool code_sequence(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                          uint32_t at, uint32_t left, struct pack_zframe_sequence *sequence, bool *end)
{
    struct guess guess = guess_sequence(model, content->at + at, left);
    unsigned h = model->history & (HISTORY - 1), fit = 0;
    uint32_t literals = *end ? left : sequence->literals, match = *end ? 0 : sequence->match, offset = sequence->offset;
    uint32_t distance = *end || !cm->encoding ? 0 : pack_zplaces_distance(model->last, offset, literals == 0);
    bool known = guess.place > 0, hit = false;
    struct pack_zplaces places;

    if (known && guess.match > 0) {
        uint32_t n = pack_zplaces_equal(content, at + guess.literals, guess.distance, left - guess.literals);
        fit = n == guess.match ? 1 : n > guess.match ? 2 : n >= 3 ? 3 : 0;
        if (fit == 3)
            guess.match = n;
    }
    if (known && (fit > 0 || guess.match == 0)) {
        hit = delta_bit_code(cm, &model->whole[guess.place][h][fit][size_class(guess.match)],
                             literals == guess.literals && match == guess.match &&
                                 (match == 0 || distance == guess.distance));
        if (hit) {
            literals = guess.literals;
            match = guess.match;
            distance = guess.distance;
        }
    }
    model->history = model->history << 1 | !hit;
    if (!hit) {
        literals = code_literals(model, cm, content, at, left, &guess, fit, literals, &places);
        if (literals == left)
            match = 0;
        else {
            unsigned at_guess = literals == guess.literals ? fit : 0;
            distance = code_distance(model, cm, content, at + literals, left - literals, literals == 0, at_guess,
                                     distance, &places);
            match = code_match(model, cm, content, at + literals, left - literals, distance, at_guess > 0, match);
        }
    }
    *end = match == 0;
    if (*end)
        return literals == left;
    if (match < 3 || match > left - literals || !code_offset(model, cm, distance, literals == 0, match, &offset))
        return false;
    *sequence = (struct pack_zframe_sequence){literals, match, offset};
    return true;
}

/* The same for a frame of the encoder that is imitated. */
static bool code_imitated(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                          uint32_t at, uint32_t n, struct pack_zframe_sequence *sequence, bool *end)
{
    struct pack_zframe_sequence guess = {0};
    bool more = pack_zimitate_guess(model->imitated.guess, content, n, &guess);
    bool is = *end ? !more
                   : more && sequence->literals == guess.literals && sequence->match == guess.match &&
                         sequence->offset == guess.offset;
    bool hit = delta_bit_code(cm, &model->imitated_bits.hit[model->imitated.history & (HISTORY - 1)][more], is) != 0;

    model->imitated.history = model->imitated.history << 1 | !hit;
    if (hit) {
        *end = !more;
        *sequence = guess;
        if (more)
            pack_zplaces_use(model->last, guess.offset, guess.literals == 0);
    } else if (!code_sequence(model, cm, content, at, n - at, sequence, end))
        return false;
    if (!*end)
        pack_zimitate_tell(model->imitated.guess, sequence);
    return true;
}

static bool code_sequences(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                           struct pack_zframe_block *block)
{
    size_t n = block->n;
    uint32_t at = 0, filled = 0;

    for (size_t i = 0; cm->failed == 0; i++) {
        bool end = i == n && cm->encoding;
        if (at == block->content_n) {
            block->n = i;
            enter_places(model, content, filled, at);
            return true;
        }
        struct pack_zframe_sequence *sequence = &block->sequence[i];
        if (i == ZFRAME_SEQUENCES)
            return false;
        if (model->imitated.is ? !code_imitated(model, cm, content, at, block->content_n, sequence, &end)
                               : !code_sequence(model, cm, content, at, block->content_n - at, sequence, &end))
            return false;
        if (end) {
            block->n = i;
            enter_places(model, content, filled, block->content_n);
            return true;
        }
        at += block->sequence[i].literals + block->sequence[i].match;
        enter_places(model, content, filled, at);
        filled = at;
    }
    return false;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static int64_t code_signed(struct delta_cm *cm, struct delta_number *model, int64_t value)
{
    return delta_unzigzag(delta_number_code(cm, model, delta_zigzag(value)));
}

/* A distribution, near what the numbers of its symbols say. `which`: alphabet, or 3 for weights. */
static bool code_counts(struct pack_zmodel *model, struct delta_cm *cm, unsigned which, const uint32_t *seen,
                        unsigned symbols, struct pack_zframe_counts *counts)
{
    uint64_t total = 0;
    unsigned most = 0, log = counts->log, n = counts->n;

    log = (unsigned)delta_number_code(cm, &model->counts_log[which], log);
    n = (unsigned)delta_number_code(cm, &model->counts_n[which], n);
    if (log < FSE_LOG_MIN || log > FSE_LOG_MAX || n > symbols)
        return false;
    counts->log = (uint8_t)log;
    counts->n = (uint8_t)n;
    for (unsigned i = 0; i < symbols; i++) {
        total += seen[i];
        most = seen[i] > seen[most] ? i : most;
    }
    for (unsigned i = 0; i < n; i++) {
        int64_t scaled = total > 0 ? (int64_t)((((uint64_t)seen[i] << (log + 1)) + total) / total / 2) : 0;
        unsigned bucket = seen[i] == 0 ? 0 : i == most ? 1 : scaled < 1 ? 2 : scaled == 1 ? 3 : scaled < 4 ? 4 : 5;
        int64_t value = scaled + code_signed(cm, &model->count[which][bucket], counts->count[i] - scaled);
        if (value < -1 || value > 1 << log)
            return false;
        counts->count[i] = (int16_t)value;
    }
    for (unsigned i = n; i < FSE_SYMBOLS; i++)
        counts->count[i] = 0;
    return pack_zframe_counts_valid(counts, symbols, FSE_LOG_MAX);
}

/* A final state: nearly always the symbol's first. */
static unsigned code_last(struct pack_zmodel *model, struct delta_cm *cm, unsigned which,
                          const struct pack_zframe_fse *fse, unsigned symbol, unsigned state)
{
    unsigned usual = fse->count[symbol] > 0 ? fse->order[fse->first[symbol]] : 0;

    if (delta_bit_code(cm, &model->default_last[which], state != usual) == 0)
        return usual;
    unsigned made = 0;
    for (unsigned i = FSE_LOG_MAX; i-- > 0;)
        made = made << 1 | delta_cm_code(cm, state >> i & 1, 32768);
    return made;
}

static bool code_weights(struct pack_zmodel *model, struct delta_cm *cm, const uint32_t *seen,
                         struct pack_zframe_weights *weights)
{
    unsigned n = weights->n, top = 0, log;
    uint32_t total = 0, of_weight[FSE_SYMBOLS] = {0};

    for (unsigned i = 0; i < ZFRAME_WEIGHTS; i++) {
        total += seen[i];
        top = seen[i] > 0 ? i + 1 : top;
    }
    int64_t symbols = top + code_signed(cm, &model->weights_n, (int64_t)n - top);
    log = code_tree(cm, model->weights_log, 4, cm->encoding ? pack_zframe_weights_log(weights->weight, weights->n) : 0);
    if (symbols < 2 || symbols > ZFRAME_WEIGHTS || log > ZFRAME_HUFFMAN_MAX)
        return false;
    weights->n = n = (unsigned)symbols;
    for (unsigned i = 0; i < n; i++) {
        /* Half bits of the best code. */
        unsigned estimate = ESTIMATES - 1;
        if (seen[i] > 0) {
            unsigned whole = pack_zframe_log2(total / seen[i]);
            estimate = 2 * whole + ((uint64_t)total * 5 >= ((uint64_t)seen[i] << whole) * 7);
            estimate = HF_MIN(estimate, (unsigned)ESTIMATES - 2);
        }
        unsigned bits = weights->weight[i] > 0 ? log + 1 - weights->weight[i] : 0;
        bits = code_tree(cm, model->weights_bits[estimate], 4, bits & 15);
        if (bits > log)
            return false;
        weights->weight[i] = (uint8_t)(bits > 0 ? log + 1 - bits : 0);
        if (i + 1 < n)
            of_weight[weights->weight[i]]++;
    }
    weights->fse = delta_bit_code(cm, &model->weights_fse, weights->fse);
    if (!weights->fse)
        return true;
    struct pack_zframe_fse fse;
    if (n < 3 || !code_counts(model, cm, 3, of_weight, ZFRAME_WEIGHT_CODES, &weights->counts) ||
        weights->counts.log > ZFRAME_WEIGHT_LOG_MAX)
        return false;
    pack_zframe_fse_build(&fse, &weights->counts);
    for (unsigned i = 0; i < 2; i++)
        weights->last[i] = (uint8_t)code_last(model, cm, 3, &fse, weights->weight[n - 3 + i], weights->last[i]);
    return true;
}

static bool code_tables(struct pack_zmodel *model, struct delta_cm *cm, struct pack_zframe_block *block)
{
    uint32_t seen[ZFRAME_ALPHABETS][FSE_SYMBOLS] = {{0}};
    unsigned code[ZFRAME_ALPHABETS] = {0};

    for (size_t i = 0; i < block->n; i++) {
        code[ZFRAME_LL] = pack_zframe_ll_code(block->sequence[i].literals);
        code[ZFRAME_OF] = pack_zframe_log2(block->sequence[i].offset);
        code[ZFRAME_ML] = pack_zframe_ml_code(block->sequence[i].match);
        for (unsigned a = 0; a < ZFRAME_ALPHABETS; a++)
            seen[a][code[a]]++;
    }
    for (unsigned a = 0; a < ZFRAME_ALPHABETS; a++) {
        unsigned mode = code_tree(cm, model->mode_bits[a][model->was.mode[a]], 2, block->table[a].mode);
        block->table[a].mode = (enum pack_zframe_mode)mode;
        model->was.mode[a] = mode;
        if (mode == ZFRAME_SINGLE)
            block->table[a].single = (uint8_t)delta_number_code(cm, &model->single, block->table[a].single);
        if (mode == ZFRAME_FSE) {
            seen[a][code[a]] -= seen[a][code[a]] > 1; /* as the reference does: the last one takes no bits */
            if (!code_counts(model, cm, a, seen[a], pack_zframe_codes[a], &block->table[a].counts))
                return false;
        }
    }
    return true;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static int result(const struct pack_zmodel *model, const struct delta_cm *cm, bool valid)
{
    return cm->failed != 0 ? cm->failed : model->old->failed != 0 ? model->old->failed : valid ? 0 : -EBADMSG;
}

int pack_zmodel_size(struct pack_zmodel *model, struct delta_cm *cm, uint64_t rest, struct pack_zframe_block *block)
{
    uint32_t usual = (uint32_t)HF_MIN(rest, (uint64_t)ZFRAME_BLOCK_MAX);

    model->was.kind = code_tree(cm, model->kind_bits[model->was.kind], 2, block->kind);
    block->kind = (enum pack_zframe_kind)model->was.kind;
    if (delta_bit_code(cm, &model->whole_size, block->content_n == usual) != 0)
        block->content_n = usual;
    else
        block->content_n = (uint32_t)HF_MIN(delta_number_code(cm, &model->size, block->content_n), (uint64_t)1 << 20);
    block->last = delta_bit_code(cm, &model->last_bit[block->content_n == rest], block->last);
    return result(model, cm,
                  model->was.kind <= ZFRAME_COMPRESSED && block->content_n <= usual &&
                      (block->content_n > 0 || block->last));
}

static bool code_states(struct pack_zmodel *model, struct delta_cm *cm, struct pack_zframe_block *block)
{
    const struct pack_zframe_sequence *last = &block->sequence[block->n - 1];
    const unsigned code[ZFRAME_ALPHABETS] = {[ZFRAME_LL] = pack_zframe_ll_code(last->literals),
                                             [ZFRAME_OF] = pack_zframe_log2(last->offset),
                                             [ZFRAME_ML] = pack_zframe_ml_code(last->match)};

    for (unsigned a = 0; a < ZFRAME_ALPHABETS; a++) {
        if (!pack_zframe_table_set(&model->state, block, a))
            return false;
        block->table[a].last = (uint16_t)code_last(model, cm, a, &model->state.fse[a], code[a], block->table[a].last);
    }
    return true;
}

int pack_zmodel_block(struct pack_zmodel *model, struct delta_cm *cm, const struct pack_zcontent *content,
                      struct pack_zframe_block *block)
{
    bool alone = block->last && !model->imitated.begun;

    model->imitated.begun = true;
    if (block->kind != ZFRAME_COMPRESSED) {
        if (model->imitated.is)
            pack_zimitate_skip(model->imitated.guess, content, block->content_n);
        enter_places(model, content, 0, block->content_n);
        return 0;
    }
    if (model->imitated.is)
        pack_zimitate_block(model->imitated.guess, alone);
    if (!code_sequences(model, cm, content, block))
        return result(model, cm, false);
    uint32_t seen[ZFRAME_WEIGHTS] = {0}, at = 0, literals_n = 0;
    for (size_t i = 0; i <= block->n; i++) {
        uint32_t n = i < block->n ? block->sequence[i].literals : block->content_n - at;
        for (uint32_t k = 0; k < n; k++)
            seen[content->p[at + k]]++;
        literals_n += n;
        at += n + (i < block->n ? block->sequence[i].match : 0);
    }
    block->literals_n = literals_n;
    model->was.literals = code_tree(cm, model->literals_bits[model->was.literals], 2, block->literals);
    block->literals = (enum pack_zframe_literals)model->was.literals;
    unsigned size = literals_n < 32 ? 0 : literals_n < 1024 ? 1 : literals_n < 16384 ? 2 : 3;
    block->size_format = (uint8_t)code_tree(cm, model->format_bits[model->was.literals][size], 2, block->size_format);
    if (block->literals == ZFRAME_LIT_HUFFMAN && !code_weights(model, cm, seen, &block->weights))
        return result(model, cm, false);
    return result(model, cm, block->n == 0 || (code_tables(model, cm, block) && code_states(model, cm, block)));
}
