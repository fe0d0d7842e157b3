#include "delta/bytes.h"

#include <string.h>

enum { ROW = 16, STATES_MAX = 256, LEVELS = 6, WEIGHT_START = 400, SPEED = 3, STATE_RATE = 7, STEP_LEAST = 32 };

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

void delta_bytes_init(struct delta_bytes *b, uint64_t block)
{
    uint8_t index[32][32][2];
    struct state states[STATES_MAX];
    unsigned n = list_states(states);

    b->table_bits = bits_for(block);
    b->rank_bits = b->table_bits - (BYTES_TABLE_BITS - BYTES_RANK_BITS);
    delta_tables_init(&b->curve);
    memset(b->first, 0, sizeof(b->first));
    memset(b->seen, 0, sizeof(b->seen));
    for (unsigned i = 0; i < n; i++)
        index[states[i].seen[0]][states[i].seen[1]][states[i].last] = (uint8_t)i;
    for (unsigned i = 0; i < n; i++) {
        b->seen[i] = (uint8_t)(states[i].seen[0] + states[i].seen[1]);
        b->first[i].chance = first_chance(states[i].seen);
        b->first[i].says = b->curve.stretch[b->first[i].chance >> 20];
        for (unsigned bit = 0; bit < 2; bit++) {
            struct state s = after(states[i], bit);
            b->first[i].next[bit] = index[s.seen[0]][s.seen[1]][s.last];
        }
    }
}

/* ---- start ----------------------------------------------------------------------------------------------------- */

static void fill_weights(delta_lanes (*set)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < DELTA_LANES; k++)
            set[i][0][k] = set[i][1][k] = WEIGHT_START;
}

void delta_bytes_reset(struct delta_bytes *b)
{
    memset(b->tables, 0, (size_t)BYTES_TABLES << b->table_bits);
    memset(b->ranks, 0, sizeof(b->ranks[0]) * BYTES_RANKS << b->rank_bits);
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        memcpy(b->state[t], b->first, sizeof(b->first));
    for (unsigned i = 0; i < HF_LEN(b->source_chance); i++)
        for (unsigned left = 0; left < 8; left++) {
            b->source_chance[i][left] = DELTA_BIT_INIT;
            b->source_says[i][left] = 0;
        }
    fill_weights(b->by_node, HF_LEN(b->by_node));
    fill_weights(b->by_guess, HF_LEN(b->by_guess));
    fill_weights(b->by_scene, HF_LEN(b->by_scene));
}

/* ---- tables and ranks ------------------------------------------------------------------------------------------ */

/* The row of 15 states for half a byte, behind a check: the one asked for or its neighbour; of the two the emptier one is given up
 * where neither has it. Without branches: there is no telling which it will be. */
static inline uint8_t *row_of(const struct delta_bytes *b, uint8_t *pair, size_t asked, uint8_t check)
{
    const uint8_t *one = pair + asked, *two = pair + (asked ^ ROW);
    unsigned first = one[0] == check, second = two[0] == check;
    unsigned other = (first ^ 1) & (second | (b->seen[two[1]] < b->seen[one[1]]));
    uint64_t kept = (uint64_t)0 - (first | second), states[2];
    uint8_t *row = pair + (asked ^ other * ROW);

    memcpy(states, row, ROW);
    states[0] &= kept;
    states[1] &= kept;
    memcpy(row, states, ROW);
    row[0] = check;
    return row;
}

/* The rows for half a byte, behind the bits before it. All are asked for before the first is looked at: they are far apart. */
static void find_rows(struct delta_bytes *b, const struct delta_byte_context *c, unsigned node, uint8_t **rows)
{
    uint8_t *table = b->tables;
    size_t size = (size_t)1 << b->table_bits;
    unsigned shift = 32 - b->table_bits;
    uint32_t hash[BYTES_TABLES], add = node * 0x9e3779b1u;

#pragma GCC unroll 8
    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        uint32_t h = c->table[t];
        if (node != 1) {
            h = (h + add) * 0x2c1b3c6du;
            h ^= h >> 15;
        }
        hash[t] = h;
        rows[t] = table + (h >> shift & ~(ROW - 1u));
        __builtin_prefetch(rows[t]);
        table += size;
    }
#pragma GCC unroll 8
    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        size_t asked = (uintptr_t)rows[t] & ROW;
        rows[t] = row_of(b, rows[t] - asked, asked, (uint8_t)hash[t]);
    }
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

/* Ranks and guesses each expect a byte, as long as the bits so far are those of it: lane i of the second half of what is mixed. The
 * last lane says the same always. */
enum { SOURCES = BYTES_RANKS + BYTES_GUESSES, ALWAYS = 1 << SOURCES, ALWAYS_SAYS = 256 };

struct sources {
    unsigned fitting;    /* a bit per lane */
    uint8_t expected[8]; /* a bit per lane: the next bit, by bits to come */
    uint16_t which[SOURCES];
    delta_lanes says[8]; /* that it is right, by bits to come */
};

/* Bit i of byte j goes to bit j of byte i. */
static uint64_t turned(uint64_t x)
{
    uint64_t t = (x ^ x >> 7) & 0x00aa00aa00aa00aa;

    x ^= t ^ t << 7;
    t = (x ^ x >> 14) & 0x0000cccc0000cccc;
    x ^= t ^ t << 14;
    t = (x ^ x >> 28) & 0x00000000f0f0f0f0;
    return x ^ t ^ t << 28;
}

static void open_sources(const struct delta_bytes *b, struct sources *s, const struct delta_byte_context *c,
                         const uint32_t *entry)
{
    uint64_t bytes = UINT64_C(255) << (8 * SOURCES);

    s->fitting = ALWAYS;
    for (unsigned i = 0; i < SOURCES; i++) {
        unsigned byte = 0, fits;
        if (i < BYTES_RANKS) {
            fits = entry[i] != 0;
            byte = entry[i] >> 24;
            s->which[i] = (uint16_t)(i * 16 + (entry[i] >> 12 & 15));
        } else {
            fits = c->guess[i - BYTES_RANKS] > 0;
            byte = (c->guess[i - BYTES_RANKS] - 1u) & 255;
            s->which[i] = (uint16_t)(BYTES_RANKS * 16 + (fits ? c->trust[i - BYTES_RANKS] : 0));
        }
        s->fitting |= fits << i;
        bytes |= (uint64_t)byte << (8 * i);
    }
    bytes = turned(bytes);
    for (unsigned left = 0; left < 8; left++)
        s->expected[left] = (uint8_t)(bytes >> (8 * left));
    for (unsigned i = 0; i < SOURCES; i++)
        s->says[i] = b->source_says[s->which[i]];
    s->says[SOURCES] = (delta_lanes){ALWAYS_SAYS, ALWAYS_SAYS, ALWAYS_SAYS, ALWAYS_SAYS,
                                     ALWAYS_SAYS, ALWAYS_SAYS, ALWAYS_SAYS, ALWAYS_SAYS};
    delta_lanes_turn(s->says);
}

static delta_lanes lanes_of(unsigned bits)
{
    static const delta_lanes lane = {1, 2, 4, 8, 16, 32, 64, 128};
    delta_lanes all = (delta_lanes){0} + (int16_t)bits;

    return (all & lane) == lane;
}

static delta_lanes what_sources_say(const struct sources *s, unsigned left)
{
    delta_lanes no = ~lanes_of(s->expected[left]);

    return ((s->says[left] ^ no) - no) & lanes_of(s->fitting);
}

static void learn_sources(struct delta_bytes *b, struct sources *s, unsigned left, unsigned bit)
{
    unsigned right = bit != 0 ? s->expected[left] : ~s->expected[left] & 255u;

    for (unsigned rest = s->fitting & (ALWAYS - 1); rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        uint32_t *chance = &b->source_chance[s->which[i]][left];
        delta_bit_update(chance, right >> i & 1, DELTA_BIT_LIMIT);
        b->source_says[s->which[i]][left] = b->curve.stretch[*chance >> 20];
    }
    s->fitting &= right | ALWAYS;
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* A byte in the making. */
struct making {
    unsigned node; /* bits so far behind a 1 */
    uint8_t *row[BYTES_TABLES];
    delta_lanes (*by_node)[2], (*by_guess)[2], *by_scene; /* weights to choose from */
    unsigned steer;
    /* of the bit */
    delta_lanes input[2], *weight[BYTES_SETS];
    int32_t chance; /* of 4096 */
};

static inline int32_t mix(const struct delta_bytes *b, struct making *k, const struct sources *s, unsigned left,
                          unsigned in_row)
{
    static const uint16_t agree[8] = {0, 1 << 7, 1 << 7, 2 << 7, 1 << 7, 2 << 7, 2 << 7, 3 << 7};
    unsigned steer = k->steer & (0u - (s->fitting >> BYTES_RANKS & 1));
    int16_t says[DELTA_LANES] = {0};

#pragma GCC unroll 8
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        says[t] = b->state[t][k->row[t][in_row]].says;
    k->weight[0] = k->by_node[k->node];
    k->weight[1] = k->by_guess[agree[s->fitting & 7] | steer | left];
    k->weight[2] = k->by_scene;
    k->input[0] = (delta_lanes){says[0], says[1], says[2], says[3], says[4], says[5], says[6], says[7]};
    k->input[1] = what_sources_say(s, left);
    delta_lanes low = delta_lanes_add(delta_lanes_add(k->weight[0][0], k->weight[1][0]), k->weight[2][0]);
    delta_lanes high = delta_lanes_add(delta_lanes_add(k->weight[0][1], k->weight[1][1]), k->weight[2][1]);
    int32_t x = delta_lanes_dot(k->input[0], low, k->input[1], high) >> DELTA_WEIGHT_BITS;
    return b->curve.squash[delta_limited(x) + 2048];
}

/* Inline, for each bit on its own: so the processor goes on with what it expects the bit to be. */
static inline __attribute__((always_inline)) void learn_bit(struct delta_bytes *b, struct making *k, struct sources *s,
                                                            unsigned left, unsigned in_row, unsigned bit)
{
    int32_t error = ((bit != 0 ? 4096 : 0) - k->chance) * SPEED;
    uint8_t next[BYTES_TABLES];

    if (error > -STEP_LEAST && error < STEP_LEAST) {
#pragma GCC unroll 8
        for (unsigned t = 0; t < BYTES_TABLES; t++)
            next[t] = b->state[t][k->row[t][in_row]].next[bit];
        s->fitting &= (bit != 0 ? s->expected[left] : ~s->expected[left] & 255u) | ALWAYS;
    } else {
#pragma GCC unroll 8
        for (unsigned t = 0; t < BYTES_TABLES; t++) {
            struct delta_state *state = &b->state[t][k->row[t][in_row]];
            uint32_t p = state->chance;
            p = bit != 0 ? p + (~p >> STATE_RATE) : p - (p >> STATE_RATE);
            state->chance = p;
            state->says = b->curve.stretch[p >> 20];
            next[t] = state->next[bit];
        }
        learn_sources(b, s, left, bit);
        for (unsigned half = 0; half < 2; half++) {
            delta_lanes step = delta_lanes_step(k->input[half], (int16_t)error);
            for (unsigned i = 0; i < BYTES_SETS; i++)
                k->weight[i][half] = delta_lanes_add(k->weight[i][half], step);
        }
    }
#pragma GCC unroll 8
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        k->row[t][in_row] = next[t];
    k->node = k->node << 1 | bit;
}

void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte)
{
    uint8_t *rows[BYTES_TABLES];

    for (unsigned half = 0; half < 2; half++) {
        unsigned bits = half == 0 ? byte >> 4 : byte & 15;
        unsigned one = bits >> 3, two = bits >> 2 & 1, three = bits >> 1 & 1, four = bits & 1;
        unsigned at_two = 2 | one, at_three = 4 | bits >> 2, at_four = 8 | bits >> 1;
        find_rows(b, c, half == 0 ? 1 : 16 | byte >> 4, rows);
        for (unsigned t = 0; t < BYTES_TABLES; t++) {
            uint8_t *row = rows[t];
            row[1] = b->first[row[1]].next[one];
            row[at_two] = b->first[row[at_two]].next[two];
            row[at_three] = b->first[row[at_three]].next[three];
            row[at_four] = b->first[row[at_four]].next[four];
        }
    }
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        uint32_t *rank = rank_of(b, c, r);
        *rank = rank_after(((*rank ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank : 0, c->rank[r] & RANK_CHECK, byte);
    }
}

unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c, unsigned byte)
{
    uint32_t *rank[BYTES_RANKS], entry[BYTES_RANKS];
    struct making k = {.node = 1, .by_node = &b->by_node[c->kind << 8], .steer = c->steer << 3};
    struct sources s;

    k.by_guess = &b->by_guess[c->kind > 5 ? 512 : 0];
    k.by_scene = b->by_scene[c->scene << 8 | c->near];
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        rank[r] = rank_of(b, c, r);
        entry[r] = ((*rank[r] ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank[r] : 0;
    }
    open_sources(b, &s, c, entry);
    for (unsigned half = 0; half < 2; half++) {
        find_rows(b, c, k.node, k.row);
        unsigned in_row = 1;
        for (unsigned i = 4; i-- > 0;) {
            unsigned left = (half == 0 ? 4 : 0) + i;
            k.chance = mix(b, &k, &s, left, in_row);
            unsigned bit = delta_cm_code(cm, byte >> left & 1, (uint32_t)k.chance * 16 + 8);
            if (bit != 0)
                learn_bit(b, &k, &s, left, in_row, 1);
            else
                learn_bit(b, &k, &s, left, in_row, 0);
            in_row = in_row << 1 | bit;
        }
    }
    for (unsigned r = 0; r < BYTES_RANKS; r++)
        *rank[r] = rank_after(entry[r], c->rank[r] & RANK_CHECK, k.node & 255);
    return k.node & 255;
}
