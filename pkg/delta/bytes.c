#include "delta/bytes.h"

#include <string.h>

enum { ROW = 16, STATES_MAX = 256, LEVELS = 6, WEIGHT_START = 1200, SPEED = 6, LAST_WEIGHT_BITS = 16 };

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
    memset(b->next, 0, sizeof(b->next));
    memset(b->seen, 0, sizeof(b->seen));
    for (unsigned i = 0; i < n; i++)
        index[states[i].seen[0]][states[i].seen[1]][states[i].last] = (uint8_t)i;
    for (unsigned i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 2; bit++) {
            struct state s = after(states[i], bit);
            b->next[i][bit] = index[s.seen[0]][s.seen[1]][s.last];
            b->seen[i][bit] = states[i].seen[bit];
        }
}

/* ---- start ----------------------------------------------------------------------------------------------------- */

static void fill_weights(int16_t *p, size_t n)
{
    while (n-- > 0)
        p[n] = WEIGHT_START;
}

static void fill_bits(uint32_t *p, size_t n)
{
    while (n-- > 0)
        p[n] = DELTA_BIT_INIT;
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

void delta_bytes_reset(struct delta_bytes *b)
{
    memset(b->tables, 0, (size_t)(BYTES_LARGE_TABLES + BYTES_TABLES) << (b->table_bits - 1));
    memset(b->ranks, 0, sizeof(b->ranks[0]) * BYTES_RANKS << b->rank_bits);
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        for (unsigned i = 0; i < STATES_MAX; i++)
            b->state_map[t][i] = first_chance(b->seen[i]);
    fill_bits(b->rank_map, HF_LEN(b->rank_map));
    fill_bits(b->trust_map, HF_LEN(b->trust_map));
    fill_weights(&b->by_node[0][0], sizeof(b->by_node) / sizeof(int16_t));
    fill_weights(&b->by_guess[0][0], sizeof(b->by_guess) / sizeof(int16_t));
    fill_weights(&b->by_scene[0][0], sizeof(b->by_scene) / sizeof(int16_t));
    for (unsigned i = 0; i < BYTES_CLASSES; i++)
        for (unsigned k = 0; k < BYTES_SETS; k++)
            b->last_weight[i][k] = (1 << LAST_WEIGHT_BITS) / BYTES_SETS;
    for (int j = 0; j < 33; j++)
        b->correction[0][j] = (uint16_t)(delta_squash((j - 16) * 128) * 16);
    for (unsigned i = 1; i < HF_LEN(b->correction); i++)
        memcpy(b->correction[i], b->correction[0], sizeof(b->correction[0]));
}

/* ---- tables and ranks ------------------------------------------------------------------------------------------ */

/* The row of 15 states for half a byte, behind a check; of two places the emptier one is given up where neither has it. */
static uint8_t *row_of(struct delta_bytes *b, uint8_t *one, uint8_t *two, uint8_t check)
{
    if (one[0] == check)
        return one;
    if (two[0] == check)
        return two;
    if (b->seen[two[1]][0] + b->seen[two[1]][1] < b->seen[one[1]][0] + b->seen[one[1]][1])
        one = two;
    memset(one, 0, ROW);
    one[0] = check;
    return one;
}

/* The rows for half a byte, behind the bits before it. All are asked for before the first is looked at: they are far apart. */
static void find_rows(struct delta_bytes *b, const struct delta_byte_context *c, unsigned node, uint8_t **rows)
{
    uint8_t *table = b->tables, *pair[BYTES_TABLES];
    uint32_t hash[BYTES_TABLES];

    for (unsigned t = 0; t < BYTES_TABLES; t++) {
        unsigned bits = t < BYTES_LARGE_TABLES ? b->table_bits : b->table_bits - 1;
        uint32_t h = c->table[t];
        if (node != 1) {
            h = (h + node * 0x9e3779b1u) * 0x2c1b3c6du;
            h ^= h >> 15;
        }
        hash[t] = h;
        pair[t] = table + ((size_t)(h >> (32 - bits) >> 5) << 5);
        __builtin_prefetch(pair[t]);
        rows[t] = pair[t] + (h >> (32 - bits) & 16);
        table += (size_t)1 << bits;
    }
    for (unsigned t = 0; t < BYTES_TABLES; t++)
        rows[t] = row_of(b, rows[t], pair[t] + (rows[t] == pair[t] ? ROW : 0), (uint8_t)hash[t]);
}

enum { RANK_CHECK = 0xfff };

static uint32_t rank_after(uint32_t entry, uint32_t check, unsigned byte)
{
    unsigned first = entry >> 24, count = entry >> 12 & 15;

    if (entry == 0)
        return (uint32_t)byte << 24 | (uint32_t)byte << 16 | check;
    if (first == byte)
        return (entry & ~0xf000u) | (count < 15 ? count + 1 : 15) << 12;
    return (uint32_t)byte << 24 | (uint32_t)first << 16 | (count > 7 ? 2u : count > 2 ? 1u : 0u) << 12 | check;
}

static uint32_t *rank_of(struct delta_bytes *b, const struct delta_byte_context *c, unsigned r)
{
    return &b->ranks[(r << b->rank_bits) + (c->rank[r] >> (32 - b->rank_bits))];
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* A byte in the making. */
struct making {
    unsigned node, left; /* bits so far behind a 1; how many are to come */
    int16_t input[BYTES_INPUTS];
    uint32_t *adapt[BYTES_RANKS + BYTES_GUESSES]; /* that said something, and what */
    unsigned said[BYTES_RANKS + BYTES_GUESSES], said_n;
    unsigned agreeing; /* ranks whose first byte goes on fitting */
    bool guess_fits;   /* guess 0 does */
};

static bool fits(unsigned byte, const struct making *k)
{
    return (byte | 256) >> (k->left + 1) == k->node;
}

static int16_t says(struct delta_bytes *b, struct making *k, uint32_t *adapt, unsigned byte)
{
    unsigned bit = byte >> k->left & 1;
    int16_t s = b->curve.stretch[*adapt >> 20];

    k->adapt[k->said_n] = adapt;
    k->said[k->said_n++] = bit;
    return (int16_t)(bit != 0 ? s : -s);
}

static void take_ranks(struct delta_bytes *b, struct making *k, const uint32_t *entry)
{
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        unsigned first = entry[r] >> 24, second = entry[r] >> 16 & 255, count = entry[r] >> 12 & 15, which = 0;
        k->input[BYTES_TABLES + r] = 0;
        if (entry[r] == 0 || (!fits(first, k) && (which = 1, !fits(second, k))))
            continue;
        k->agreeing += which == 0;
        k->input[BYTES_TABLES + r] =
            says(b, k, &b->rank_map[((r * 2 + which) * 16 + count) * 8 + k->left], which == 0 ? first : second);
    }
}

static void take_guesses(struct delta_bytes *b, struct making *k, const struct delta_byte_context *c)
{
    k->guess_fits = c->guess[0] > 0 && fits(c->guess[0] - 1u, k);
    for (unsigned i = 0; i < BYTES_GUESSES; i++) {
        int16_t *input = &k->input[BYTES_TABLES + BYTES_RANKS + i];
        *input = 0;
        if (c->guess[i] > 0 && fits(c->guess[i] - 1u, k))
            *input = says(b, k, &b->trust_map[c->trust[i] * 8u + k->left], c->guess[i] - 1u);
    }
}

static unsigned code_bit(struct delta_bytes *b, struct delta_cm *cm, struct making *k,
                         const struct delta_byte_context *c, unsigned bit)
{
    int16_t *weight[BYTES_SETS] = {
        b->by_node[c->kind << 8 | k->node],
        b->by_guess[(c->kind > 5 ? 512 : 0) | k->agreeing << 7 | (k->guess_fits ? c->steer : 0) << 3 | k->left],
        b->by_scene[c->scene << 8 | c->near]};
    int32_t *last = b->last_weight[c->kind], x[BYTES_SETS];
    int64_t sum = 0;

    for (unsigned i = 0; i < BYTES_SETS; i++) {
        x[i] = delta_dot(k->input, weight[i], BYTES_INPUTS);
        sum += (int64_t)x[i] * last[i];
    }
    int32_t mixed = delta_limited(sum >> LAST_WEIGHT_BITS), p = b->curve.squash[mixed + 2048], at = (mixed + 2048) * 32;
    uint16_t *correct = &b->correction[delta_hash(5, k->node, c->last) >> 22][at >> 12];
    int32_t part = at & 4095, corrected = (correct[0] * (4096 - part) + correct[1] * part) >> 12;
    int32_t p16 = (p * 16 + corrected) >> 1;
    p16 = p16 < 16 ? 16 : p16 > 65520 ? 65520 : p16;
    bit = delta_cm_code(cm, bit, (uint32_t)p16);
    correct += part >= 2048;
    *correct = (uint16_t)(*correct + ((bit != 0 ? 65535 : 0) - *correct) / 64);
    int32_t truth = (int32_t)bit << 12;
    for (unsigned i = 0; i < BYTES_SETS; i++) {
        delta_train(k->input, weight[i], (int16_t)((truth - b->curve.squash[x[i] + 2048]) * SPEED), BYTES_INPUTS);
        last[i] += (x[i] * (truth - p) * 2 + 0x8000) >> 16;
    }
    return bit;
}

void delta_bytes_learn(struct delta_bytes *b, const struct delta_byte_context *c, unsigned byte)
{
    uint8_t *rows[BYTES_TABLES];

    for (unsigned half = 0; half < 2; half++) {
        unsigned bits = half == 0 ? byte >> 4 : byte & 15;
        find_rows(b, c, half == 0 ? 1 : 16 | byte >> 4, rows);
        for (unsigned t = 0; t < BYTES_TABLES; t++) {
            uint8_t *row = rows[t];
            for (unsigned left = 4, node = 1; left-- > 0;) {
                unsigned bit = bits >> left & 1;
                row[node] = b->next[row[node]][bit];
                node = node << 1 | bit;
            }
        }
    }
    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        uint32_t *rank = rank_of(b, c, r);
        *rank = rank_after(((*rank ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank : 0, c->rank[r] & RANK_CHECK, byte);
    }
}

unsigned delta_bytes_code(struct delta_bytes *b, struct delta_cm *cm, const struct delta_byte_context *c, unsigned byte)
{
    struct making k = {.node = 1};
    uint32_t *rank[BYTES_RANKS], entry[BYTES_RANKS];
    uint8_t *rows[BYTES_TABLES];
    unsigned in_row = 1;

    for (unsigned r = 0; r < BYTES_RANKS; r++) {
        rank[r] = rank_of(b, c, r);
        entry[r] = ((*rank[r] ^ c->rank[r]) & RANK_CHECK) == 0 ? *rank[r] : 0;
    }
    k.input[BYTES_INPUTS - 1] = 256;
    find_rows(b, c, 1, rows);
    for (k.left = 8; k.left-- > 0;) {
        for (unsigned t = 0; t < BYTES_TABLES; t++)
            k.input[t] = b->curve.stretch[b->state_map[t][rows[t][in_row]] >> 20];
        k.said_n = k.agreeing = 0;
        take_ranks(b, &k, entry);
        take_guesses(b, &k, c);
        unsigned bit = code_bit(b, cm, &k, c, byte >> k.left & 1);
        for (unsigned t = 0; t < BYTES_TABLES; t++) {
            uint8_t *state = &rows[t][in_row];
            delta_bit_update(&b->state_map[t][*state], bit, DELTA_BIT_LIMIT);
            *state = b->next[*state][bit];
        }
        for (unsigned i = 0; i < k.said_n; i++)
            delta_bit_update(k.adapt[i], bit == k.said[i], DELTA_BIT_LIMIT);
        k.node = k.node << 1 | bit;
        in_row = in_row << 1 | bit;
        if (k.left == 4) {
            find_rows(b, c, k.node, rows);
            in_row = 1;
        }
    }
    for (unsigned r = 0; r < BYTES_RANKS; r++)
        *rank[r] = rank_after(entry[r], c->rank[r] & RANK_CHECK, k.node & 255);
    return k.node & 255;
}
