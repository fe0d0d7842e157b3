#include "delta/bytes.h"

#include <string.h>

enum {
    ROW = 16,
    STATES_MAX = 256,
    LEVELS = 6,
    WEIGHT_START = 1000,
    SPEED = 5,
    STEP_LEAST = 160,
    SAYS_MORE = 4, /* bits that what is said has behind those of an input */
    SOURCE_START = 3072,
    COUNT_MAX = 250,
    COUNT_OF_STATES = 126,
};

/* ---- states ---------------------------------------------------------------------------------------------------- */

/* How far the larger count goes, by the smaller one. */
static const uint8_t level_limit[LEVELS] = {30, 20, 12, 8, 6, 5};

struct state {
    uint8_t seen[2], last;
};

static bool allowed(unsigned a, unsigned b)
{
    return HF_MIN(a, b) < LEVELS && HF_MAX(a, b) <= level_limit[HF_MIN(a, b)];
}

/* All states, fewest bits first: how many zeros and ones, and which came last where that can be either. */
static unsigned list_states(struct state *states)
{
    unsigned n = 0;

    states[n++] = (struct state){{0, 0}, 0};
    for (unsigned sum = 1; sum <= 32; sum++)
        for (unsigned zeros = 0; zeros <= sum; zeros++)
            for (unsigned last = 0; last < 2 && allowed(zeros, sum - zeros); last++)
                if ((last == 0 ? zeros : sum - zeros) > 0)
                    states[n++] = (struct state){{(uint8_t)zeros, (uint8_t)(sum - zeros)}, (uint8_t)last};
    return n;
}

/* One more bit: its count grows, much of the other one is forgotten, and what is too much then of the larger one. */
static struct state after(struct state s, unsigned bit)
{
    unsigned own = s.seen[bit] + 1u, other = s.seen[1 - bit];

    if (own > 1 && other > 3)
        other = other < 5 ? 3 : other < 8 ? 4 : other < 13 ? 5 : other < 21 ? 6 : 7;
    while (!allowed(own, other)) {
        if (own >= other)
            own--;
        else
            other--;
    }
    s.seen[bit] = (uint8_t)own;
    s.seen[1 - bit] = (uint8_t)other;
    s.last = (uint8_t)bit;
    return s;
}

/* The chance a state stands for before anything was learned: the share of ones, more for what came without exception. */
static uint32_t first_chance(const uint8_t seen[2])
{
    uint32_t zeros = seen[0] * 2u + 1, ones = seen[1] * 2u + 1;

    if (zeros == 1)
        ones += ones / 2;
    if (ones == 1)
        zeros += zeros / 2;
    return ones * 4194303u / (zeros + ones) << 10;
}

/* As many contexts as a block can have, within what memory allows. */
static unsigned bits_for(uint64_t block)
{
    unsigned bits = BYTES_TABLE_BITS_MIN;

    while (bits < BYTES_TABLE_BITS && (uint64_t)1 << bits < 16 * block)
        bits++;
    return bits;
}

/* A chance p that becomes p + (1 - p) r has its logarithm x = ln(p / (1 - p)) grow by ln(1 + r e^-x) - ln(1 - r). The first part is
 * looked up at ln(r) - x, both in 1/16; r is 1 / (count + 2), or the next larger one listed. */
static void init_rise(struct delta_bytes *b)
{
    /* ln(1 + e^x) * 4096 of x = -8, -7.5 .. 8 */
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

void delta_bytes_init(struct delta_bytes *b, uint64_t block)
{
    uint8_t index[32][32][2];
    struct state states[STATES_MAX];
    unsigned n = list_states(states);

    b->table_bits = bits_for(block);
    b->rank_bits = b->table_bits - (BYTES_TABLE_BITS - BYTES_RANK_BITS);
    delta_tables_init(&b->curve);
    init_rise(b);
    memset(b->first_says, 0, sizeof(b->first_says));
    memset(b->next, 0, sizeof(b->next));
    for (unsigned i = 0; i < n; i++)
        index[states[i].seen[0]][states[i].seen[1]][states[i].last] = (uint8_t)i;
    for (unsigned i = 0; i < n; i++) {
        b->first_says[i] = (int16_t)(b->curve.stretch[first_chance(states[i].seen) >> 20] * (1 << SAYS_MORE));
        for (unsigned bit = 0; bit < 2; bit++) {
            struct state s = after(states[i], bit);
            b->next[bit][i] = index[s.seen[0]][s.seen[1]][s.last];
        }
    }
}

/* ---- start ----------------------------------------------------------------------------------------------------- */

static void fill_weights(delta_lanes *set, size_t n)
{
    for (size_t i = 0; i < n; i++)
        set[i] = (delta_lanes){0} + WEIGHT_START;
}

void delta_bytes_reset(struct delta_bytes *b)
{
    memset(b->tables, 0, (size_t)BYTES_TABLES << b->table_bits);
    memset(b->ranks, 0, sizeof(b->ranks[0]) * BYTES_RANKS << b->rank_bits);
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        memcpy(b->state_says[t], b->first_says, sizeof(b->first_says));
    for (unsigned i = 0; i <= BYTES_SOURCES; i++)
        for (unsigned left = 0; left < 8; left++)
            b->source_says[i][left] = SOURCE_START;
    memset(b->source_count, 0, sizeof(b->source_count));
    fill_weights(b->by_node, HF_LEN(b->by_node));
    fill_weights(b->by_guess, HF_LEN(b->by_guess));
    fill_weights(b->by_scene, HF_LEN(b->by_scene));
}

/* ---- tables and ranks ------------------------------------------------------------------------------------------ */

typedef uint8_t row_bytes __attribute__((vector_size(ROW), may_alias));
typedef uint64_t row_halves __attribute__((vector_size(ROW)));

/* The row of 15 states for half a byte, behind a check: one of a pair; of the two the emptier one is given up where neither has it:
 * states are numbered by how many bits they count. Without branches: there is no telling which it will be. */
static inline uint8_t *row_of(uint8_t *pair, uint8_t check)
{
    unsigned first = pair[0] == check, second = pair[ROW] == check;
    unsigned other = second | ((first ^ 1) & (pair[ROW + 1] < pair[1]));
    uint64_t kept = (uint64_t)0 - (first | second);
    row_bytes *row = (row_bytes *)(void *)(pair + (size_t)other * ROW);

    *row = (*row & (row_bytes)(row_halves){kept, kept}) | (row_bytes){check};
    return (uint8_t *)row;
}

/* The rows for half a byte, behind the bits before it. All are asked for before the first is looked at: they are far apart. */
static HF_ALWAYS_INLINE void find_rows(struct delta_bytes *b, const struct delta_byte_context *c, unsigned node,
                                       uint8_t **rows)
{
    uint8_t *table = b->tables, check[BYTES_TABLES];
    size_t size = (size_t)1 << b->table_bits;
    unsigned shift = 32 - b->table_bits;
    uint32_t add = node * 0x9e3779b1u;

#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        uint32_t h = c->table[t];
        if (node != 1) {
            h = (h + add) * 0x2c1b3c6du;
            h ^= h >> 15;
        }
        check[t] = (uint8_t)h;
        rows[t] = table + (h >> shift & ~(2 * ROW - 1u));
        __builtin_prefetch(rows[t]);
        table += size;
    }
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        rows[t] = row_of(rows[t], check[t]);
}

enum { RANK_CHECK = 0xfff };

static uint32_t rank_after(uint32_t entry, uint32_t check, unsigned byte)
{
    unsigned count = entry >> 12 & 15;

    if (entry == 0)
        return (uint32_t)byte << 24 | 1u << 16 | check;
    if (entry >> 24 == byte)
        return (entry & ~0xf000u) | (count < 15 ? count + 1 : 15) << 12;
    return (uint32_t)byte << 24 | 1u << 16 | (count > 7 ? 2u : count > 2 ? 1u : 0u) << 12 | check;
}

static uint32_t *rank_of(struct delta_bytes *b, const struct delta_byte_context *c, unsigned r)
{
    return &b->ranks[(r << b->rank_bits) + (c->rank[r] >> (32 - b->rank_bits))];
}

/* ---- sources --------------------------------------------------------------------------------------------------- */

/* Lanes 0 to 2 are of tables, 3 of the most trusted rank, 4 to 6 of guesses; the last one says the same always. A source expects a byte, as long as the bits so far are those of it. */
enum { FIRST_SOURCE = BYTES_TABLES, HEARD = 1 + BYTES_GUESSES, ALWAYS_SAYS = 256 };

static const delta_lanes not_sources = {-1, -1, -1, 0, 0, 0, 0, -1};

struct sources {
    delta_lanes fit;       /* all bits: the bits so far are those of what it expects; those of tables always */
    delta_lanes unlike;    /* lower 8 bits: not the byte expected; 0 for tables */
    int16_t *says[HEARD];  /* that it is right, by bits to come */
    uint8_t *count[HEARD]; /* bytes it was looked at for */
    delta_lanes rate, more;
    bool learned;
};

/* Which source says how much, if it says anything: for the choice of those heard. */
struct voice {
    unsigned which, byte;
    int32_t says;
};

enum { SILENT = INT16_MIN - 1 };

static inline struct voice voice_of(const struct delta_bytes *b, bool speaks, unsigned which, unsigned byte)
{
    which = speaks ? which : BYTES_SOURCES;
    return (struct voice){which, byte, speaks ? b->source_says[which][7] : SILENT};
}

static inline void hear(struct delta_bytes *b, struct sources *s, unsigned i, struct voice v)
{
    s->says[i] = b->source_says[v.which];
    s->count[i] = &b->source_count[v.which];
    s->fit[FIRST_SOURCE + i] = v.says == SILENT ? 0 : -1;
    s->unlike[FIRST_SOURCE + i] = (int16_t)~v.byte;
    s->rate[FIRST_SOURCE + i] = b->rate[*s->count[i]];
    s->more[FIRST_SOURCE + i] = b->more[*s->count[i]];
}

static inline void open_sources(struct delta_bytes *b, struct sources *s, const struct delta_byte_context *c,
                                const uint32_t *entry)
{
    struct voice rank = voice_of(b, entry[0] != 0, entry[0] >> 12 & 15, entry[0] >> 24);

#pragma GCC unroll 4
    for (unsigned r = 1; r < BYTES_RANKS; r++) {
        struct voice v = voice_of(b, entry[r] != 0, r * 16 + (entry[r] >> 12 & 15), entry[r] >> 24);
        bool louder = v.says > rank.says;
        rank = (struct voice){louder ? v.which : rank.which, louder ? v.byte : rank.byte, louder ? v.says : rank.says};
    }
    s->fit = not_sources;
    s->unlike = (delta_lanes){0};
    s->rate = (delta_lanes){0} + b->rate[COUNT_OF_STATES];
    s->more = (delta_lanes){0} + b->more[COUNT_OF_STATES];
    s->learned = false;
    hear(b, s, 0, rank);
#pragma GCC unroll 4
    for (unsigned g = 0; g < BYTES_GUESSES; g++)
        hear(b, s, 1 + g, voice_of(b, c->guess[g] > 0, BYTES_RANKS * 16 + c->trust[g], c->guess[g] - 1u));
}

static inline void close_sources(const struct sources *s, unsigned spoke)
{
    for (unsigned i = 0; i < HEARD; i++)
        if (s->learned && (spoke >> (FIRST_SOURCE + i) & 1) != 0 && *s->count[i] < COUNT_MAX)
            ++*s->count[i];
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* A byte in the making. */
struct making {
    unsigned node; /* bits so far behind a 1 */
    uint8_t *home[BYTES_TABLES];
    _Alignas(ROW) uint8_t row[BYTES_TABLES][ROW]; /* what lies there, while it is worked on */
    delta_lanes *by_node, *by_guess, *by_scene;   /* weights to choose from */
    unsigned steer;
    struct sources sources;
};

/* What is said moves towards what was right. `wrong`, all bits: it spoke against that. */
static inline delta_lanes moved(const struct delta_bytes *b, const struct sources *s, delta_lanes said,
                                delta_lanes wrong)
{
    delta_lanes x = said ^ wrong, at = s->rate - (x >> 8), up = {0};

#pragma GCC unroll 8
    for (unsigned i = 0; i < FIRST_SOURCE + HEARD; i++)
        up[i] = (int16_t)b->rise[(uint16_t)at[i]];
    return delta_lanes_add(x, (up + s->more) & s->fit) ^ wrong;
}

static HF_ALWAYS_INLINE unsigned code_bit(struct delta_bytes *b, struct delta_cm *cm, struct making *k, unsigned left,
                                          unsigned in_row, unsigned bit)
{
    struct sources *s = &k->sources;
    unsigned fits = delta_lanes_negative(s->fit) >> FIRST_SOURCE, state[BYTES_TABLES];
    unsigned steer = k->steer & (0u - (fits >> 1 & 1)), alike = (fits & 7) | (fits >> 1 & 4);
    /* all bits for a source that expects a 0 */
    delta_lanes against = (delta_lanes)(s->unlike << (15 - (int)left)) >> 15, said = {0};

#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        state[t] = k->row[t][in_row];
        said[t] = b->state_says[t][state[t]];
    }
#pragma GCC unroll 4
    for (unsigned i = 0; i < HEARD; i++)
        said[FIRST_SOURCE + i] = s->says[i][left];
    said[DELTA_LANES - 1] = ALWAYS_SAYS << SAYS_MORE;
    delta_lanes input = (((said >> SAYS_MORE) ^ against) - against) & s->fit;
    delta_lanes *weight[3] = {&k->by_node[k->node], &k->by_guess[alike << 7 | steer | left], k->by_scene};
    delta_lanes sum = delta_lanes_add(delta_lanes_add(*weight[0], *weight[1]), *weight[2]);
    int32_t x = delta_lanes_dot(input, sum) >> DELTA_WEIGHT_BITS;
    uint32_t p16 = b->curve.squash[delta_limited(x) + 2048];
    int32_t chance = (int32_t)(p16 >> 4);

    bit = delta_cm_code(cm, bit, p16);
    delta_lanes wrong = against ^ ((delta_lanes){0} + (int16_t)((int16_t)bit - 1));
    int32_t error = (((int32_t)bit << 12) - chance) * SPEED;
    if (error <= -STEP_LEAST || error >= STEP_LEAST) {
        said = moved(b, s, said, wrong);
#pragma GCC unroll 4
        for (unsigned t = 0; t < BYTES_TABLES; t++)
            b->state_says[t][state[t]] = said[t];
#pragma GCC unroll 4
        for (unsigned i = 0; i < HEARD; i++)
            s->says[i][left] = said[FIRST_SOURCE + i];
        s->learned = true;
        delta_lanes step = delta_lanes_step(input, (int16_t)error);
#pragma GCC unroll 4
        for (unsigned i = 0; i < 3; i++)
            *weight[i] = delta_lanes_add(*weight[i], step);
    }
    s->fit = (s->fit & ~wrong) | not_sources;
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        k->row[t][in_row] = b->next[bit][state[t]];
    k->node = k->node << 1 | bit;
    return bit;
}

static HF_ALWAYS_INLINE void code_half(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c,
                                       struct making *k, unsigned first, unsigned byte)
{
    unsigned in_row = 1;

    find_rows(b, c, k->node, k->home);
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        memcpy(k->row[t], k->home[t], ROW);
    for (unsigned left = first + 4; left-- > first;)
        in_row = in_row << 1 | code_bit(b, cm, k, left, in_row, byte >> left & 1);
#pragma GCC unroll 4
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        memcpy(k->home[t], k->row[t], ROW);
}

unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c, unsigned byte)
{
    uint32_t *rank[BYTES_RANKS], entry[BYTES_RANKS];
    struct making k; /* filled here and in turn: to clear all of it would take longer than a bit does */

    k.node = 1;
    k.steer = c->steer << 3;
    k.by_node = &b->by_node[c->kind << 8];
    k.by_guess = &b->by_guess[c->kind > 5 ? 1024 : 0];
    k.by_scene = &b->by_scene[c->scene << 8 | c->near];
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        rank[r] = rank_of(b, c, r);
        entry[r] = ((*rank[r] ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank[r] : 0;
    }
    open_sources(b, &k.sources, c, entry);
    unsigned spoke = delta_lanes_negative(k.sources.fit);
    code_half(b, cm, c, &k, 4, byte);
    code_half(b, cm, c, &k, 0, byte);
    close_sources(&k.sources, spoke);
    for (unsigned r = 0; r < BYTES_RANKS; r++)
        *rank[r] = rank_after(entry[r], c->rank[r] & RANK_CHECK, k.node & 255);
    return k.node & 255;
}

/* ---- learning -------------------------------------------------------------------------------------------------- */

void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte)
{
    uint32_t *rank = rank_of(b, c, 0);

    for (unsigned half = 0; half < 2; half++) {
        unsigned bits = half == 0 ? byte >> 4 : byte & 15;
        const uint8_t *one = b->next[bits >> 3], *two = b->next[bits >> 2 & 1], *three = b->next[bits >> 1 & 1],
                      *four = b->next[bits & 1];
        unsigned at_two = 2 | bits >> 3, at_three = 4 | bits >> 2, at_four = 8 | bits >> 1;
        uint8_t *rows[BYTES_TABLES];
        find_rows(b, c, half == 0 ? 1 : 16 | byte >> 4, rows);
        for (unsigned t = 0; t < BYTES_TABLES; t++) {
            uint8_t *row = rows[t];
            row[1] = one[row[1]];
            row[at_two] = two[row[at_two]];
            row[at_three] = three[row[at_three]];
            row[at_four] = four[row[at_four]];
        }
    }
    *rank = rank_after(((*rank ^ c->rank[0]) & RANK_CHECK) == 0 ? *rank : 0, c->rank[0] & RANK_CHECK, byte);
}
