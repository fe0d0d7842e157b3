/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and ranks remember what followed a context. A table holds a bit history (cm/states.h) for each bit after a
 * context; each row has a check byte by which the coder recognizes a context that has not occurred before. A rank
 * has four bytes: the latest byte after a context, a count of how often that byte came, and check bits. Ranks serve
 * long contexts, of which there are too many for tables.
 *
 * A rank or a guess is called a source. Each source predicts one value of the next byte. In quick blocks, if a
 * source is confident, the coder first codes one bit that records whether this source is right; the eight bits of
 * the byte follow only if it is wrong. One bit takes a fifth of the time of eight, but makes the delta slightly
 * larger.
 *
 * The inputs of the mixer for one bit are eight numbers in one vector: the most trusted rank, three guesses, three
 * tables, and a constant. Its weights are the sum of three sets: by_node depends on the kind and on the bits of the
 * byte so far; by_fit on the kind, on the sources that these bits agree with, and on the number of bits that remain;
 * by_scene on `scene` and `near`. by_confident replaces by_fit and by_scene for the bit that records whether a
 * confident source is right. */
#include "delta/cm/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROW = 16,
    LINE = 64, /* bytes in a cache line */
    WEIGHT_START = 850,
    SPEED = 7,
    LOGIT_EXTRA_BITS = 4, /* extra fractional bits of stored logits, compared with inputs */
    SOURCE_START = 6000,
    COUNT_MAX = 250,
    CONFIDENT = 1024, /* logit of a whole byte from which on one bit asks for it */
    QUICK_LEARNS_FROM = BYTES_TABLES - 1,
};

/* ---- start ----------------------------------------------------------------------------------------------------- */

/* As many contexts as a block can have, within the memory bound. */
static unsigned bits_for(uint64_t block, unsigned most)
{
    unsigned bits = BYTES_TABLE_BITS_MIN;

    while (bits < most && (uint64_t)1 << bits < 16 * block)
        bits++;
    return bits;
}

/* When probability p grows to p + (1 - p) r, its logit x = ln(p / (1 - p)) grows by ln(1 + r e^-x) - ln(1 - r). A
 * table holds the first part at ln(r) - x, both in units of 1/16; r is 1 / (count + 2), or the next larger one
 * listed. */
static void init_rise(struct delta_bytes *b)
{
    /* ln(1 + e^x) * 4096 for x = -8, -7.5 .. 8 */
    static const uint16_t curve[33] = {1,     2,     4,     6,     10,    17,    28,    45,    74,    122,   199,
                                       323,   520,   825,   1283,  1942,  2839,  3990,  5379,  6969,  8712,  10563,
                                       12487, 14458, 16458, 18477, 20508, 22545, 24586, 26630, 28676, 30722, 32769};
    static const struct {
        uint8_t count;
        int16_t rate, more; /* ln(r) * 16, ln(1 - r) * -4096 */
    } rates[] = {{0, -11, 2839}, {1, -18, 1661}, {2, -22, 1178}, {3, -26, 914},  {4, -29, 747}, {6, -33, 547},
                 {9, -38, 390},  {14, -44, 264}, {21, -50, 182}, {30, -55, 130}, {43, -61, 92}, {62, -67, 65},
                 {89, -72, 45},  {126, -78, 32}, {179, -83, 23}, {248, -88, 16}};

    for (int x = -256; x < 256; x++) {
        int at = x < -128 ? 0 : x > 127 ? 127 + 128 : x + 128;
        b->rise[x + 256] = (uint16_t)((curve[at >> 3] * (8 - (at & 7)) + curve[(at >> 3) + 1] * (at & 7)) >> 3);
    }
    for (unsigned i = 0; i < HF_LEN(rates); i++)
        for (unsigned n = rates[i].count; n < 256; n++) {
            b->rate[n] = (int16_t)(256 + rates[i].rate);
            b->more[n] = rates[i].more;
        }
}

int delta_bytes_open(struct delta_bytes *b, uint64_t block, unsigned lean)
{
    uint32_t chance[DELTA_STATES];

    b->table_bits = bits_for(block, BYTES_TABLE_BITS - lean);
    b->rank_bits = b->table_bits - (BYTES_TABLE_BITS - BYTES_RANK_BITS);
    size_t tables_n = (size_t)BYTES_TABLES << b->table_bits, ranks_n = sizeof(*b->ranks) * BYTES_RANKS << b->rank_bits;
    b->tables = aligned_alloc(LINE, tables_n + ranks_n);
    if (b->tables == NULL)
        return -ENOMEM;
    b->ranks = (uint32_t *)(void *)(b->tables + tables_n);
    delta_squash_init(b->squash);
    init_rise(b);
    delta_states_init(b->next, chance);
    for (unsigned i = 0; i < DELTA_STATES; i++)
        b->state_logit[i] = (int16_t)(delta_stretch(chance[i] >> 20) * (1 << LOGIT_EXTRA_BITS));
    return 0;
}

void delta_bytes_done(struct delta_bytes *b)
{
    free(b->tables);
}

static void fill_weights(delta_lanes *set, size_t n)
{
    for (size_t i = 0; i < n; i++)
        set[i] = (delta_lanes){0} + WEIGHT_START;
}

void delta_bytes_reset(struct delta_bytes *b, bool quick)
{
    b->quick = quick;
    memset(b->tables, 0, (size_t)BYTES_TABLES << b->table_bits);
    memset(b->ranks, 0, sizeof(b->ranks[0]) * BYTES_RANKS << b->rank_bits);
    for (unsigned i = 0; i <= BYTES_SOURCES; i++)
        for (unsigned left = 0; left < 8; left++)
            b->source_logit[i][left] = SOURCE_START;
    memset(b->byte_logit, 0, sizeof(b->byte_logit));
    memset(b->source_count, 0, sizeof(b->source_count));
    fill_weights(b->by_node, HF_LEN(b->by_node));
    fill_weights(b->by_fit, HF_LEN(b->by_fit));
    fill_weights(b->by_scene, HF_LEN(b->by_scene));
    fill_weights(b->by_confident, HF_LEN(b->by_confident));
}

/* ---- tables and ranks ------------------------------------------------------------------------------------------ */

typedef uint8_t row_bytes __attribute__((vector_size(ROW), may_alias));
typedef uint64_t row_halves __attribute__((vector_size(ROW)));

/* Returns the row of 15 states for half a byte, after its check byte. If neither row of the pair has the check byte,
 * replaces the emptier one: states ascend by the number of bits they count. Branch-free, as either outcome is
 * likely. */
static inline uint8_t *row_of(uint8_t *pair, uint8_t check)
{
    unsigned first = pair[0] == check, second = pair[ROW] == check;
    unsigned other = second | ((first ^ 1) & (pair[ROW + 1] < pair[1]));
    uint64_t kept = (uint64_t)0 - (first | second);
    row_bytes *row = (row_bytes *)(void *)(pair + (size_t)other * ROW);

    *row = (*row & (row_bytes)(row_halves){kept, kept}) | (row_bytes){check};
    return (uint8_t *)row;
}

static inline uint8_t *pair_of(struct delta_bytes *b, unsigned t, uint32_t h)
{
    return b->tables + ((size_t)t << b->table_bits) + (h >> (32 - b->table_bits) & ~(2 * ROW - 1u));
}

/* Prefetches the rows of the first half, which are far apart. */
static HF_ALWAYS_INLINE void prefetch_rows(struct delta_bytes *b, const struct delta_byte_context *c)
{
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        __builtin_prefetch(pair_of(b, t, c->table[t]));
}

/* Finds the rows for half a byte, after the bits before it, in the tables from `first` on. Prefetches all before it
 * reads one. */
static HF_ALWAYS_INLINE void find_rows(struct delta_bytes *b, const struct delta_byte_context *c, unsigned first,
                                       unsigned node, uint8_t **rows)
{
    uint8_t check[BYTES_TABLES];
    uint32_t add = node * 0x9e3779b1u;

#pragma GCC unroll 4
    for (unsigned t = first; t < BYTES_TABLES; t++) {
        uint32_t h = c->table[t];
        if (node != 1) {
            h = (h + add) * 0x2c1b3c6du;
            h ^= h >> 15;
        }
        check[t] = (uint8_t)h;
        rows[t] = pair_of(b, t, h);
        __builtin_prefetch(rows[t]);
    }
#pragma GCC unroll 4
    for (unsigned t = first; t < BYTES_TABLES; t++)
        rows[t] = row_of(rows[t], check[t]);
}

enum { RANK_CHECK = 0xfff };

/* By the count of a rank's byte: the count for a byte that replaces it, and the count after it came again. */
static inline uint32_t rank_after(uint32_t entry, uint32_t check, unsigned byte)
{
    static const uint8_t after[2][16] = {{0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2},
                                         {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15}};
    unsigned same = (unsigned)(entry != 0) & (unsigned)(entry >> 24 == byte);

    return (uint32_t)byte << 24 | 1u << 16 | (uint32_t)after[same][entry >> 12 & 15] << 12 | check;
}

static uint32_t *rank_of(struct delta_bytes *b, const struct delta_byte_context *c, unsigned r)
{
    return &b->ranks[(r << b->rank_bits) + (c->rank[r] >> (32 - b->rank_bits))];
}

/* ---- sources --------------------------------------------------------------------------------------------------- */

/* Lane 0 is the most trusted rank, 1 to 3 are guesses, 4 to 6 tables, 7 a constant bias. A source expects one byte,
 * and takes part while the bits so far agree with it. */
enum { LOADED = 1 + BYTES_GUESSES, FIRST_TABLE = LOADED, BIAS = 256 };

static const delta_lanes not_sources = {0, 0, 0, 0, -1, -1, -1, -1},
                         bias = {0, 0, 0, BIAS << LOGIT_EXTRA_BITS, 0, 0, 0, BIAS << LOGIT_EXTRA_BITS};

struct sources {
    delta_lanes byte;       /* expected byte; -1: none, or not a source */
    delta_lanes fit;        /* all ones: the bits so far agree with that byte; always so for tables */
    delta_lanes unlike;     /* inverted bits of that byte still to come, from the highest on; 0 for tables */
    delta_lanes logit[8];   /* that it is right, by bits to come */
    delta_lanes byte_logit; /* that it is right about the whole byte */
    delta_lanes rate, more; /* speed of learning, by count */
    int16_t *home[LOADED], *byte_home[LOADED];
    uint8_t *count[LOADED]; /* number of bytes it took part in */
};

/* A source and its logit, to choose the ones that take part. */
struct weighed_source {
    unsigned which;
    int byte;
    int32_t logit;
};

enum { NO_LOGIT = INT16_MIN - 1 };

static inline struct weighed_source weigh_source(const struct delta_bytes *b, bool speaks, unsigned which,
                                                 unsigned byte)
{
    which = speaks ? which : BYTES_SOURCES;
    return (struct weighed_source){which, speaks ? (int)byte : -1, speaks ? b->source_logit[which][7] : NO_LOGIT};
}

static HF_ALWAYS_INLINE void load_source(struct delta_bytes *b, struct sources *s, unsigned i, struct weighed_source v)
{
    s->home[i] = b->source_logit[v.which];
    s->byte_home[i] = &b->byte_logit[v.which];
    s->count[i] = &b->source_count[v.which];
    s->byte[i] = (int16_t)v.byte;
    s->byte_logit[i] = v.byte < 0 ? INT16_MIN : *s->byte_home[i];
    s->rate[i] = b->rate[*s->count[i]];
    s->more[i] = b->more[*s->count[i]];
}

static HF_ALWAYS_INLINE void open_sources(struct delta_bytes *b, struct sources *s, const struct delta_byte_context *c,
                                          const uint32_t *entry)
{
    struct weighed_source rank = weigh_source(b, entry[0] != 0, entry[0] >> 12 & 15, entry[0] >> 24);

#pragma GCC unroll 4
    for (unsigned r = 1; r < BYTES_RANKS; r++) {
        struct weighed_source v = weigh_source(b, entry[r] != 0, r * 16 + (entry[r] >> 12 & 15), entry[r] >> 24);
        bool better = v.logit > rank.logit;
        rank = (struct weighed_source){better ? v.which : rank.which, better ? v.byte : rank.byte,
                                       better ? v.logit : rank.logit};
    }
    s->byte = (delta_lanes){0} - 1;
    s->byte_logit = bias;
    s->rate = s->more = (delta_lanes){0};
    load_source(b, s, 0, rank);
#pragma GCC unroll 4
    for (unsigned g = 0; g < BYTES_GUESSES; g++)
        load_source(b, s, 1 + g, weigh_source(b, c->guess[g] > 0, BYTES_RANKS * 16 + c->trust[g], c->guess[g] - 1u));
    s->fit = ~(s->byte >> 15) | not_sources;
    s->unlike = ~s->byte << 8;
}

/* Moves a logit towards the actual bit. `wrong` is all ones if it predicted the other one. */
static HF_ALWAYS_INLINE delta_lanes moved(const struct delta_bytes *b, const struct sources *s, delta_lanes logit,
                                          delta_lanes wrong)
{
    delta_lanes x = logit ^ wrong, at = s->rate - (x >> 8), up = {0};

#pragma GCC unroll 8
    for (unsigned i = 0; i < LOADED; i++)
        up[i] = (int16_t)b->rise[(uint16_t)at[i]];
    return delta_lanes_add(x, (up + s->more) & s->fit) ^ wrong;
}

static HF_ALWAYS_INLINE void learn_byte_logits(struct delta_bytes *b, struct sources *s, unsigned byte)
{
    delta_lanes wrong = s->byte != (delta_lanes){0} + (int16_t)byte;

    s->fit = ~(s->byte >> 15);
    s->byte_logit = moved(b, s, s->byte_logit, wrong);
#pragma GCC unroll 4
    for (unsigned i = 0; i < LOADED; i++)
        *s->byte_home[i] = s->byte_logit[i];
}

static HF_ALWAYS_INLINE void close_sources(struct delta_bytes *b, struct sources *s, unsigned byte)
{
    if (b->quick)
        learn_byte_logits(b, s, byte);
#pragma GCC unroll 4
    for (unsigned i = 0; i < LOADED; i++)
        *s->count[i] = (uint8_t)(*s->count[i] + (*s->count[i] < COUNT_MAX));
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* State of coding one byte. */
struct byte_coding {
    unsigned node; /* 1, followed by the bits so far */
    uint8_t *row[BYTES_TABLES];
    delta_lanes *by_node, *by_fit; /* sets of weights */
    delta_lanes scene,
        scene_step; /* update of `scene`, applied after the byte so that no bit waits for the one before */
    struct sources sources;
};

/* The prediction of a bit. */
struct mixed {
    delta_lanes logit, against, input, *weight[2];
    uint32_t p16;
    unsigned state[BYTES_TABLES];
};

static HF_ALWAYS_INLINE int32_t error_of(uint32_t p16, unsigned bit)
{
    return ((int32_t)(bit << 12) - (int32_t)(p16 >> 4)) * SPEED;
}

static HF_ALWAYS_INLINE void mix(struct delta_bytes *b, const struct byte_coding *k, unsigned left, unsigned in_row,
                                 struct mixed *m)
{
    const struct sources *s = &k->sources;

    m->logit = s->logit[left];
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        m->state[t] = k->row[t][in_row];
        m->logit[FIRST_TABLE + t] = b->state_logit[m->state[t]];
    }
    m->against = s->unlike >> 15; /* all ones for a source that expects a 0 */
    m->input = (((m->logit >> LOGIT_EXTRA_BITS) ^ m->against) - m->against) & s->fit;
    m->weight[0] = &k->by_node[k->node];
    m->weight[1] = &k->by_fit[(delta_lanes_negative(s->fit) & 15) << 3 | left];
    m->p16 = delta_mixed(b->squash, m->input, delta_lanes_add(delta_lanes_add(*m->weight[0], *m->weight[1]), k->scene));
}

static HF_ALWAYS_INLINE unsigned learn_bit(struct delta_bytes *b, struct byte_coding *k, const struct mixed *m,
                                           unsigned left, unsigned in_row, unsigned bit)
{
    struct sources *s = &k->sources;
    delta_lanes wrong = bit != 0 ? m->against : ~m->against;
    delta_lanes step = delta_lanes_step(m->input, (int16_t)error_of(m->p16, bit));

    s->logit[left] = moved(b, s, m->logit, wrong);
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        k->row[t][in_row] = b->next[m->state[t]][bit];
#pragma GCC unroll 4
    for (unsigned i = 0; i < 2; i++)
        *m->weight[i] = delta_lanes_add(*m->weight[i], step);
    k->scene_step = delta_lanes_add(k->scene_step, step);
    s->fit = (s->fit & ~wrong) | not_sources;
    s->unlike <<= 1;
    k->node = k->node << 1 | bit;
    return bit;
}

static HF_ALWAYS_INLINE void code_half(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                                       struct byte_coding *k, unsigned first, unsigned byte)
{
    unsigned in_row = 1;
    struct mixed m;

    find_rows(b, c, 0, k->node, k->row);
#pragma GCC unroll 4
    for (unsigned left = first + 4; left-- > first;) {
        mix(b, k, left, in_row, &m);
        /* one call for each value, so that the processor continues with the predicted bit */
        in_row = in_row << 1 | (delta_cm_code(cm, byte >> left & 1, m.p16) != 0 ? learn_bit(b, k, &m, left, in_row, 1)
                                                                                : learn_bit(b, k, &m, left, in_row, 0));
    }
}

_Static_assert(LOADED == DELTA_LANES / 2, "load_logits() transposes rows of LOADED sources into half vectors");

/* Loads the logits of the chosen sources, and transposes them to vectors by bits to come. */
static HF_ALWAYS_INLINE void load_logits(struct sources *s)
{
    delta_lanes r[LOADED];

    for (unsigned i = 0; i < LOADED; i++)
        memcpy(&r[i], s->home[i], sizeof(r[i]));
    const delta_lanes x[2] = {delta_lanes_zip_low(r[0], r[2]), delta_lanes_zip_high(r[0], r[2])};
    const delta_lanes y[2] = {delta_lanes_zip_low(r[1], r[3]), delta_lanes_zip_high(r[1], r[3])};
    for (unsigned half = 0; half < 2; half++) {
        const delta_lanes first = delta_lanes_zip_low(x[half], y[half]), last = delta_lanes_zip_high(x[half], y[half]);
        s->logit[4 * half] = delta_lanes_low(first, bias);
        s->logit[4 * half + 1] = delta_lanes_high(first, bias);
        s->logit[4 * half + 2] = delta_lanes_low(last, bias);
        s->logit[4 * half + 3] = delta_lanes_high(last, bias);
    }
}

/* The reverse. */
static HF_ALWAYS_INLINE void store_logits(const struct sources *s)
{
    delta_lanes first[2], last[2];

    for (unsigned half = 0; half < 2; half++) {
        const delta_lanes *v = s->logit + 4 * half;
        const delta_lanes x = delta_lanes_zip_low(v[0], v[2]), y = delta_lanes_zip_low(v[1], v[3]);
        first[half] = delta_lanes_zip_low(x, y);
        last[half] = delta_lanes_zip_high(x, y);
    }
    const delta_lanes r[LOADED] = {delta_lanes_low(first[0], first[1]), delta_lanes_high(first[0], first[1]),
                                   delta_lanes_low(last[0], last[1]), delta_lanes_high(last[0], last[1])};
    for (unsigned i = 0; i < LOADED; i++)
        memcpy(s->home[i], &r[i], sizeof(r[i]));
}

static unsigned code_bits(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                          struct byte_coding *k, unsigned byte)
{
    delta_lanes *scene = &b->by_scene[c->scene << 8 | c->near];

    k->node = 1;
    k->scene = *scene;
    k->scene_step = (delta_lanes){0};
    load_logits(&k->sources);
    code_half(b, cm, c, k, 4, byte);
    code_half(b, cm, c, k, 0, byte);
    store_logits(&k->sources);
    *scene = delta_lanes_add(*scene, k->scene_step);
    return k->node & 255;
}

/* If a source is confident of its byte, asks by one bit whether it is right. Returns the byte, or -1: then its bits
 * follow, without the sources that were wrong. */
static HF_ALWAYS_INLINE int code_confident(struct delta_bytes *b, struct delta_cm *cm, struct byte_coding *k,
                                           unsigned byte)
{
    struct sources *s = &k->sources;
    int logit = s->byte_logit[0], expected = s->byte[0];

#pragma GCC unroll 4
    for (unsigned i = 1; i < LOADED; i++) {
        bool more = s->byte_logit[i] > logit;
        logit = more ? s->byte_logit[i] : logit;
        expected = more ? s->byte[i] : expected;
    }
    if (logit < CONFIDENT)
        return -1;
    delta_lanes against = (s->byte != (delta_lanes){0} + (int16_t)expected) & ~not_sources;
    delta_lanes input = (((s->byte_logit >> LOGIT_EXTRA_BITS) ^ against) - against) & s->fit;
    delta_lanes *weight[2] = {&k->by_node[0], &b->by_confident[delta_lanes_negative(against)]};
    uint32_t p16 = delta_mixed(b->squash, input, delta_lanes_add(*weight[0], *weight[1]));
    unsigned bit = delta_cm_code(cm, byte == (unsigned)expected, p16);
    delta_lanes step = delta_lanes_step(input, (int16_t)error_of(p16, bit));
    for (unsigned i = 0; i < 2; i++)
        *weight[i] = delta_lanes_add(*weight[i], step);
    if (bit != 0)
        return expected;
    s->fit &= against | not_sources;
    return -1;
}

unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c, unsigned byte)
{
    uint32_t *rank[BYTES_RANKS], entry[BYTES_RANKS];
    struct byte_coding k; /* filled step by step: clearing all of it takes longer than coding a bit */

    k.by_node = &b->by_node[c->kind << 8];
    k.by_fit = &b->by_fit[c->kind << 7];
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        rank[r] = rank_of(b, c, r);
        entry[r] = ((*rank[r] ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank[r] : 0;
    }
    prefetch_rows(b, c);
    open_sources(b, &k.sources, c, entry);
    int expected = b->quick ? code_confident(b, cm, &k, byte) : -1;
    byte = expected >= 0 ? (unsigned)expected : code_bits(b, cm, c, &k, byte);
    close_sources(b, &k.sources, byte);
    for (unsigned r = 0; r < BYTES_RANKS; r++)
        *rank[r] = rank_after(entry[r], c->rank[r] & RANK_CHECK, byte);
    return byte;
}

/* ---- learning -------------------------------------------------------------------------------------------------- */

static HF_ALWAYS_INLINE void learn_tables(struct delta_bytes *b, const struct delta_byte_context *c, unsigned first,
                                          unsigned byte)
{
    for (unsigned half = 0; half < 2; half++) {
        unsigned bits = half == 0 ? byte >> 4 : byte & 15;
        uint8_t *rows[BYTES_TABLES];
        find_rows(b, c, first, half == 0 ? 1 : 16 | byte >> 4, rows);
        for (unsigned t = first; t < BYTES_TABLES; t++) {
            uint8_t *one = rows[t] + 1, *two = rows[t] + (2 | bits >> 3), *three = rows[t] + (4 | bits >> 2),
                    *four = rows[t] + (8 | bits >> 1);
            *one = b->next[*one][bits >> 3];
            *two = b->next[*two][bits >> 2 & 1];
            *three = b->next[*three][bits >> 1 & 1];
            *four = b->next[*four][bits & 1];
        }
    }
}

void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte)
{
    uint32_t *rank = rank_of(b, c, 0);

    if (b->quick)
        learn_tables(b, c, QUICK_LEARNS_FROM, byte);
    else
        learn_tables(b, c, 0, byte);
    *rank = rank_after(((*rank ^ c->rank[0]) & RANK_CHECK) == 0 ? *rank : 0, c->rank[0] & RANK_CHECK, byte);
}
