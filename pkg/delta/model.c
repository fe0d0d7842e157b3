/* The bytes of new are coded in this order. A copy is cut into windows; one bit says that a whole window is as predicted. In a
 * window that is not, one bit per unit (a byte, or a reference) says whether it is as predicted, and what is not is coded by its
 * bytes. References are predicted through the match map, corrected by what the same target was seen to move by before. Literal
 * bytes are coded by what precedes them. Every prediction of a bit mixes several contexts. */
#include "delta/model.h"

#include <errno.h>
#include <string.h>

/* Slots of the tables of byte contexts, as powers of two: those with many contexts are large. */
#define TABLE_BITS                                                                                                     \
    {                                                                                                                  \
        12, 16, 16, 16, 15, 15, 15, 14, 15, 14                                                                         \
    }

enum {
    TABLE_SLOTS = (1 << 12) + 3 * (1 << 16) + 4 * (1 << 15) + 2 * (1 << 14),
    BYTE_TABLES = 10,
    BYTE_INPUTS = BYTE_TABLES + 4,
    FLAG_TABLES = 8,
    FLAG_BITS = 12,
    FLAG_INPUTS = FLAG_TABLES,
    HISTORY = 1 << 18,
    MATCH_BITS = 14,
    WINDOW_MIN = 64,
    BYTE_KINDS = 4, /* literal, miss in a copy, miss in code reference, miss in a table */
};

struct mixer {
    int32_t weight[BYTE_INPUTS];
};

struct delta_model {
    struct delta_predictor p;
    struct delta_cm *cm;
    struct delta_tables tables;

    uint16_t bytes[TABLE_SLOTS];
    uint16_t flags[FLAG_TABLES][1 << FLAG_BITS];
    struct mixer byte_mixer[BYTE_KINDS * 256], flag_mixer[64];
    uint32_t window_state[1024], candidate_state[DELTA_REF_KINDS * 64], expected_state[4][64];
    struct delta_number number[6];
    uint32_t inline_state[2];

    uint8_t kind_history[DELTA_REF_KINDS];

    unsigned char history[HISTORY]; /* of new, by position */
    uint32_t match_at[1 << MATCH_BITS];
    uint64_t new_pos;
    uint32_t match, match_length; /* where history repeats itself: position of the next byte + 1, how long already */
    uint32_t last4;

    unsigned streak, window_size; /* good windows in a row */
    uint32_t unit_history;        /* a bit per unit, 1: missed */
    unsigned since_miss;
    unsigned char diff[32]; /* new - old, by position */
    uint64_t inline_old;

    /* mixing in progress */
    int32_t input[DELTA_MIX_MAX];
    uint16_t *slot[DELTA_MIX_MAX];
    unsigned inputs;

    unsigned char made[DELTA_WINDOW_MAX + 16];
};

struct delta_model *delta_model_new(struct delta_setting *setting)
{
    struct delta_model *m = malloc(sizeof(*m));

    if (m != NULL) {
        m->p.setting = setting;
        delta_tables_init(&m->tables);
    }
    return m;
}

void delta_model_free(struct delta_model *model)
{
    free(model);
}

static void fill32(uint32_t *p, size_t n)
{
    while (n-- > 0)
        p[n] = DELTA_BIT_INIT;
}

static void fill_slots(uint16_t *p, size_t n)
{
    while (n-- > 0)
        p[n] = DELTA_SLOT_INIT;
}

void delta_model_reset(struct delta_model *m)
{
    fill_slots(m->bytes, HF_LEN(m->bytes));
    fill_slots(&m->flags[0][0], sizeof(m->flags) / sizeof(uint16_t));
    for (unsigned i = 0; i < BYTE_KINDS * 256; i++)
        for (unsigned j = 0; j < BYTE_INPUTS; j++)
            m->byte_mixer[i].weight[j] = 18000;
    for (unsigned i = 0; i < 64; i++)
        for (unsigned j = 0; j < BYTE_INPUTS; j++)
            m->flag_mixer[i].weight[j] = 22000;
    fill32(m->window_state, HF_LEN(m->window_state));
    fill32(m->candidate_state, HF_LEN(m->candidate_state));
    fill32(&m->expected_state[0][0], sizeof(m->expected_state) / sizeof(uint32_t));
    for (unsigned i = 0; i < HF_LEN(m->number); i++)
        delta_number_init(&m->number[i]);
    fill32(m->inline_state, HF_LEN(m->inline_state));
    delta_predictor_reset(&m->p);
    memset(m->kind_history, 0, sizeof(m->kind_history));
    memset(m->history, 0, sizeof(m->history));
    memset(m->match_at, 0, sizeof(m->match_at));
    memset(m->diff, 0, sizeof(m->diff));
    m->match = m->match_length = m->last4 = 0;
    m->streak = 0;
    m->window_size = WINDOW_MIN;
    m->unit_history = 0;
    m->since_miss = 0;
    m->inline_old = 0;
    m->inputs = 0;
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

void delta_slot_update(uint16_t *state, unsigned bit)
{
    static const uint16_t rate[16] = {32768, 21845, 16384, 13107, 10923, 9362, 8192, 7282,
                                      6554,  5958,  5461,  5041,  4681,  4369, 4096, 3600};
    unsigned n = *state & 15;
    int32_t p = *state >> 4;

    p += (((bit != 0 ? 4095 : 0) - p) * rate[n]) >> 16;
    *state = (uint16_t)(p << 4 | (int32_t)(n < 15 ? n + 1 : 15));
}

static void take_slot(struct delta_model *m, uint16_t *slot)
{
    m->slot[m->inputs] = slot;
    m->input[m->inputs++] = m->tables.stretch[*slot >> 4];
}

static void take_input(struct delta_model *m, int32_t stretched)
{
    m->slot[m->inputs] = NULL;
    m->input[m->inputs++] = stretched;
}

static unsigned mix_bit(struct delta_model *m, struct mixer *mixer, int32_t speed, unsigned bit)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < m->inputs; i++)
        sum += (int64_t)m->input[i] * mixer->weight[i];
    int32_t x = (int32_t)(sum >> 16), p = (int32_t)delta_squash(x > 2047 ? 2047 : x < -2047 ? -2047 : x);
    bit = delta_cm_code(m->cm, bit, (uint32_t)(p * 16 + 8));
    int32_t error = (((int32_t)bit << 12) - p) * speed;
    for (unsigned i = 0; i < m->inputs; i++) {
        mixer->weight[i] += (m->input[i] * error + 0x8000) >> 16;
        if (m->slot[i] != NULL)
            delta_slot_update(m->slot[i], bit);
    }
    m->inputs = 0;
    return bit;
}

static unsigned simple_bit(struct delta_model *m, uint32_t *state, unsigned bit)
{
    uint32_t p = delta_bit_p16(*state);

    bit = delta_cm_code(m->cm, bit, p < 4 ? 4 : p > 65532 ? 65532 : p);
    delta_bit_update(state, bit, 250);
    return bit;
}

/* ---- history of new -------------------------------------------------------------------------------------------- */

static void remember(struct delta_model *m, unsigned char byte)
{
    m->history[m->new_pos % HISTORY] = byte;
    m->last4 = m->last4 << 8 | byte;
    m->new_pos++;
    if (m->match_length > 0 && m->history[(m->match - 1) % HISTORY] == byte) {
        m->match++;
        m->match_length += m->match_length < 65535;
    } else {
        m->match_length = 0;
    }
    uint32_t *at =
        &m->match_at[(m->last4 * 0x2f0b4c47u + (uint32_t)m->history[(m->new_pos - 5) % HISTORY] * 0x6b43a9b5u) >>
                     (32 - MATCH_BITS)];
    if (m->match_length == 0 && *at != 0 && (uint32_t)m->new_pos - *at < HISTORY - 4) {
        uint32_t from = *at;
        while (m->match_length < 32 && m->history[(from - 1 - m->match_length) % HISTORY] ==
                                           m->history[(m->new_pos - 1 - m->match_length) % HISTORY])
            m->match_length++;
        m->match = from + 1;
        if (m->match_length < 4)
            m->match_length = 0;
    }
    *at = (uint32_t)m->new_pos;
}

static void remember_all(struct delta_model *m, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        remember(m, bytes[i]);
}

static unsigned back(const struct delta_model *m, unsigned n)
{
    return m->history[(m->new_pos - n) % HISTORY];
}

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

struct byte_context {
    unsigned kind; /* BYTE_KINDS */
    unsigned sub;  /* reference kind and byte in it, or position */
    unsigned old;  /* the byte old has here, or was predicted */
    unsigned old_next;
    unsigned guesses[3]; /* bytes it may be */
    unsigned guesses_n;
};

static uint32_t hash(uint32_t table, uint32_t a, uint32_t b)
{
    uint32_t h = (a + table * 0x9e3779b1u) * 0x85ebca6bu ^ (b + table) * 0xc2b2ae35u;

    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    return h;
}

static void byte_hashes(const struct delta_model *m, const struct byte_context *c, uint32_t *h)
{
    uint32_t c1 = m->last4 & 0xff, c4 = m->last4;

    if (c->kind == 0) {
        h[0] = hash(0, (uint32_t)(m->new_pos & 3), 0);
        h[1] = hash(1, c1, 0);
        h[2] = hash(2, c4 & 0xffff, 0);
        h[3] = hash(3, c4 & 0xffffff, 0);
        h[4] = hash(4, c4, 0);
        h[5] = hash(5, c4, back(m, 5) | back(m, 6) << 8);
        h[6] = hash(6, c4 & 0xffff00, 0);
        h[7] = hash(7, back(m, 4), (uint32_t)(m->new_pos & 3));
        h[8] = hash(8, back(m, 4) | back(m, 8) << 8, c1);
        h[9] =
            hash(9, m->match_length > 0 ? m->history[(m->match - 1) % HISTORY] + 1u : 0, HF_MIN(m->match_length, 15u));
    } else {
        uint32_t tag = c->kind << 16 | c->sub;
        h[0] = hash(0, c->old, tag);
        h[1] = hash(1, c->old | c1 << 8, tag);
        h[2] = hash(2, c->old | c->old_next << 8, tag);
        h[3] = hash(3, c4 & 0xffff, tag);
        h[4] = hash(4, c->old | (uint32_t)m->diff[(m->new_pos - 1) % 32] << 8, tag);
        h[5] = hash(5, c->guesses[0], tag);
        h[6] = hash(6, c->guesses[1], tag);
        h[7] = hash(7, c4 & 0xffffff, c->kind);
        h[8] = hash(8, tag, (uint32_t)(m->new_pos & 7));
        h[9] = hash(9, c->guesses[2], c->old);
    }
}

static unsigned code_byte(struct delta_model *m, const struct byte_context *c, unsigned byte)
{
    static const unsigned char table_bits[BYTE_TABLES] = TABLE_BITS;
    uint16_t *slots[BYTE_TABLES];
    uint32_t h[BYTE_TABLES], *expected[4];
    unsigned node = 1, guess[4], guesses = 0;

    byte_hashes(m, c, h);
    for (unsigned t = 0, first = 0; t < BYTE_TABLES; first += 1u << table_bits[t++])
        slots[t] = m->bytes + first + (h[t] >> (32 - table_bits[t]) & ~255u);
    for (unsigned t = 0; t < BYTE_TABLES; t++)
        h[t] = h[t] >> (32 - table_bits[t]) & 255;
    for (unsigned i = 0; i < c->guesses_n; i++) {
        guess[i] = c->guesses[i];
        expected[i] = &m->expected_state[i][c->kind * 8];
        guesses++;
    }
    if (m->match_length > 0) {
        guess[guesses] = m->history[(m->match - 1) % HISTORY];
        expected[guesses++] = &m->expected_state[3][c->kind * 16 + HF_MIN(m->match_length / 2, 15u)];
    }
    for (unsigned i = 8; i-- > 0;) {
        unsigned wanted[4], agree = 0;
        for (unsigned t = 0; t < BYTE_TABLES; t++)
            take_slot(m, &slots[t][h[t] ^ node]);
        for (unsigned k = 0; k < 4; k++) {
            wanted[k] = 2;
            if (k < guesses && (guess[k] | 256) >> (i + 1) == node) {
                int32_t s = m->tables.stretch[*expected[k] >> 20];
                wanted[k] = guess[k] >> i & 1;
                take_input(m, wanted[k] != 0 ? s : -s);
                agree |= 1u << k;
            } else {
                take_input(m, 0);
            }
        }
        unsigned bit = mix_bit(m, &m->byte_mixer[c->kind * 256 + node], 10, byte >> i & 1);
        for (unsigned k = 0; k < guesses; k++)
            if ((agree >> k & 1) != 0)
                delta_bit_update(expected[k], bit == wanted[k], 250);
        node = node << 1 | bit;
    }
    return node & 255;
}

/* ---- copies ---------------------------------------------------------------------------------------------------- */

static unsigned bucket(unsigned n)
{
    unsigned b = 0;

    for (; n > 0 && b < 15; n >>= 1)
        b++;
    return b;
}

static uint32_t differed(const struct delta_model *m, unsigned n)
{
    return m->diff[(m->new_pos - n) % 32] != 0 ? 1u : 0u;
}

/* Is the unit at `at` as predicted? Mixes what is known about it. */
static unsigned code_flag(struct delta_model *m, const struct delta_span *s, size_t at, const struct delta_ref *ref,
                          const struct delta_guess *g, unsigned missed)
{
    const unsigned char *old = s->old + at;
    uint32_t kind = ref != NULL ? ref->kind : 0, where = s->region << 5 | kind, phase = (uint32_t)(s->old_pos + at) & 7;
    uint32_t h[FLAG_TABLES];

    h[0] = where | (m->unit_history & 255) << 9;
    h[1] = where | (uint32_t)old[0] << 9;
    h[2] = where | (uint32_t)old[0] << 9 | (uint32_t)old[-1] << 17;
    h[3] = where | HF_MIN(m->since_miss, 63u) << 9 | phase << 15;
    h[4] = where | phase << 9 | differed(m, 4) << 12 | differed(m, 8) << 13 | differed(m, 16) << 14 |
           differed(m, 24) << 15 | differed(m, 12) << 16;
    h[5] =
        where | (g != NULL ? g->source << 9 | (uint32_t)m->kind_history[kind] << 11 : (uint32_t)old[1] << 9 | 1u << 24);
    h[6] = where | (uint32_t)m->diff[(m->new_pos - 1) % 32] << 9 | (m->unit_history & 7) << 17;
    h[7] = where | (uint32_t)old[3 - (phase & 3)] << 9 | (phase & 3) << 17 | (m->unit_history & 3) << 19;
    for (unsigned i = 0; i < FLAG_TABLES; i++) {
        uint32_t x = (h[i] + i * 0x9e3779b1u) * 0x85ebca6bu;
        x ^= x >> 13;
        take_slot(m, &m->flags[i][x * 0xc2b2ae35u >> (32 - FLAG_BITS)]);
    }
    return mix_bit(m, &m->flag_mixer[kind > 0 ? 16 + kind : HF_MIN(m->since_miss, 15u)], 6, missed);
}

static void note_unit(struct delta_model *m, unsigned missed)
{
    m->unit_history = m->unit_history << 1 | missed;
    m->since_miss = missed != 0 ? 0 : m->since_miss + 1;
}

static void note_byte(struct delta_model *m, unsigned char made, unsigned char old)
{
    m->diff[m->new_pos % 32] = (unsigned char)(made - old);
    remember(m, made);
}

static unsigned code_plain_unit(struct delta_model *m, const struct delta_span *s, size_t at,
                                const unsigned char *truth)
{
    unsigned old = s->old[at];
    unsigned missed = code_flag(m, s, at, NULL, NULL, truth != NULL && truth[at] != old ? 1u : 0u);

    m->made[at] = (unsigned char)old;
    if (missed != 0) {
        struct byte_context c = {.kind = 1, .sub = s->region, .old = old, .old_next = s->old[at + 1], .guesses_n = 3};
        c.guesses[0] = (old + m->diff[(m->new_pos - 4) % 32]) & 255;
        c.guesses[1] = (old + m->diff[(m->new_pos - 8) % 32]) & 255;
        c.guesses[2] = (old + m->diff[(m->new_pos - 24) % 32]) & 255;
        m->made[at] = (unsigned char)code_byte(m, &c, truth != NULL ? truth[at] : 0);
    }
    note_unit(m, missed);
    note_byte(m, m->made[at], (unsigned char)old);
    return 1;
}

static unsigned code_reference(struct delta_model *m, const struct delta_span *s, const struct delta_ref *ref,
                               const struct delta_guess *g, const unsigned char *truth)
{
    uint64_t word = truth != NULL ? delta_get_word(truth + ref->at, ref->n) : 0;
    unsigned missed = code_flag(m, s, ref->at, ref, g, word != g->word[0]), k = 0;
    unsigned char bytes[8], predicted[8];

    delta_put_word(predicted, ref->n, g->word[0]);
    if (missed == 0) {
        word = g->word[0];
    } else {
        for (k = 1; k < g->n; k++)
            if (simple_bit(m, &m->candidate_state[(ref->kind * 4 + k) * 4 + g->source], word == g->word[k]) != 0)
                break;
        if (k < g->n)
            word = g->word[k];
    }
    delta_put_word(bytes, ref->n, word);
    for (unsigned i = 0; i < ref->n; i++) {
        if (missed != 0 && k == g->n) {
            struct byte_context c = {.kind = ref->kind < DELTA_REF_ABS64 ? 2 : 3,
                                     .sub = ref->kind * 8u + i,
                                     .old = predicted[i],
                                     .old_next = predicted[(i + 1) % ref->n],
                                     .guesses_n = 2};
            c.guesses[0] = predicted[i];
            c.guesses[1] = s->old[ref->at + i];
            c.guesses[2] = back(m, 1);
            bytes[i] = (unsigned char)code_byte(m, &c, bytes[i]);
        }
        m->made[ref->at + i] = bytes[i];
        note_byte(m, bytes[i], predicted[i]);
    }
    note_unit(m, missed);
    m->kind_history[ref->kind] = (uint8_t)((unsigned)m->kind_history[ref->kind] << 1 | missed);
    if (missed != 0)
        delta_predictor_learn(&m->p, ref, g, delta_get_word(bytes, ref->n));
    return ref->n;
}

static void code_units(struct delta_model *m, const struct delta_span *s, const unsigned char *truth)
{
    size_t at = 0, r = 0;

    while (at < s->n && m->cm->failed == 0) {
        if (r < s->refs && m->p.refs[r].at == at) {
            at += code_reference(m, s, &m->p.refs[r], &m->p.guesses[r], truth);
            r++;
        } else {
            at += code_plain_unit(m, s, at, truth);
        }
    }
}

static unsigned window_context(const struct delta_model *m, const struct delta_span *s)
{
    unsigned worst = 3;

    for (size_t i = 0; i < s->refs; i++) {
        unsigned source = m->p.guesses[i].source;
        source = source == 3 ? 2 : source == 2 ? 3 : source;
        worst = HF_MIN(worst, source);
    }
    return HF_MIN(bucket(m->streak), 7u) << 7 | worst << 5 | (s->refs > 8 ? 16u : 0u) | s->region;
}

static void accept_window(struct delta_model *m, const struct delta_span *s)
{
    memcpy(m->made, m->p.predicted, s->n);
    for (size_t i = 0; i < s->refs; i++)
        m->kind_history[m->p.refs[i].kind] = (uint8_t)(m->kind_history[m->p.refs[i].kind] << 1);
    memset(m->diff, 0, sizeof(m->diff));
    remember_all(m, m->made, s->n);
    m->since_miss += (unsigned)HF_MIN(s->n, (size_t)1000);
    m->unit_history = 0;
    m->streak++;
    if (m->window_size < DELTA_WINDOW_MAX && m->streak >= 2)
        m->window_size *= 2;
}

/* New's segments as they differ from old's. */
static int code_segments(void *ctx, struct delta_predictor *p, const struct delta_segments *truth)
{
    struct delta_model *m = ctx;
    uint64_t n = delta_number_code(m->cm, &m->number[3], truth != NULL ? truth->n : 0);

    if (m->cm->failed == 0 && n > DELTA_SEGMENTS)
        m->cm->failed = hf_err_set(m->cm->err, EBADMSG, "delta is damaged: too many segments");
    if (m->cm->failed != 0)
        return m->cm->failed;
    p->segments.n = (unsigned)n;
    for (unsigned i = 0; i < n; i++) {
        const struct delta_segment was = delta_predictor_segment(p, i), now = truth != NULL ? truth->p[i] : was;
        const uint64_t old[4] = {was.offset, was.address, was.file_size, was.memory_size};
        const uint64_t want[4] = {now.offset, now.address, now.file_size, now.memory_size};
        uint64_t made[4];
        for (unsigned k = 0; k < 4; k++)
            made[k] = old[k] + (uint64_t)delta_unzigzag(delta_number_code(m->cm, &m->number[4 + (k & 1)],
                                                                          delta_zigzag((int64_t)(want[k] - old[k]))));
        p->segments.p[i] = (struct delta_segment){made[0], made[1], made[2], made[3]};
    }
    return m->cm->failed;
}

static int code_copy(struct delta_model *m, uint64_t old_pos, uint64_t n, const unsigned char *truth,
                     struct delta_output *output, struct hf_err *err)
{
    int r;

    while (n > 0) {
        struct delta_span s = {.new_pos = m->new_pos, .old_pos = old_pos};
        if ((r = delta_predictor_enter(&m->p, m->new_pos, code_segments, m, err)) < 0 ||
            (r = delta_predictor_window(&m->p, &s, m->window_size, n, err)) < 0)
            return r;
        unsigned bad = truth != NULL && memcmp(truth, m->p.predicted, s.n) != 0;
        if (simple_bit(m, &m->window_state[window_context(m, &s)], bad) == 0) {
            accept_window(m, &s);
        } else {
            m->streak = 0;
            m->window_size = WINDOW_MIN;
            code_units(m, &s, truth);
        }
        if (m->cm->failed != 0)
            return m->cm->failed;
        delta_predictor_made(&m->p, &s, m->made);
        if (output != NULL && (r = delta_output_write(output, m->made, s.n, err)) < 0)
            return r;
        if (truth != NULL)
            truth += s.n;
        old_pos += s.n;
        n -= s.n;
    }
    return 0;
}

static int code_literals(struct delta_model *m, uint64_t n, const unsigned char *truth, struct delta_output *output,
                         struct hf_err *err)
{
    static const struct byte_context literal = {.kind = 0};
    size_t made = 0;
    int r;

    for (uint64_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)code_byte(m, &literal, truth != NULL ? truth[i] : 0);
        m->diff[m->new_pos % 32] = 0;
        remember(m, byte);
        m->made[made++] = byte;
        if (m->cm->failed != 0)
            return m->cm->failed;
        if (output != NULL && (made == DELTA_WINDOW_MAX || i + 1 == n) &&
            (r = delta_output_write(output, m->made, made, err)) < 0)
            return r;
        made %= DELTA_WINDOW_MAX;
    }
    return 0;
}

/* ---- a block --------------------------------------------------------------------------------------------------- */

/* A copy inside a gap of the map. The encoder gives it in *copy; its start must not be before the position. */
static int code_inline(struct delta_model *m, uint64_t gap_end, struct delta_copy *copy, const unsigned char *truth,
                       struct delta_output *output, struct hf_err *err)
{
    uint64_t room = gap_end - m->new_pos;
    uint64_t literals = delta_number_code(m->cm, &m->number[0], copy->new_pos - m->new_pos);
    uint64_t length = delta_number_code(m->cm, &m->number[1], copy->len);
    uint64_t expected = m->inline_old + m->new_pos + literals;
    uint64_t jump = delta_number_code(m->cm, &m->number[2], delta_zigzag((int64_t)(copy->old_pos - expected)));
    uint64_t old_pos = expected + (uint64_t)delta_unzigzag(jump);
    int r;

    if (m->cm->failed != 0)
        return m->cm->failed;
    if (literals > room || length > room - literals || length == 0 || old_pos > m->p.setting->old_size ||
        length > m->p.setting->old_size - old_pos)
        return hf_err_set(err, EBADMSG, "delta is damaged: a copy reaches too far");
    m->inline_old = old_pos - (m->new_pos + literals);
    if ((r = code_literals(m, literals, truth, output, err)) < 0)
        return r;
    return code_copy(m, old_pos, length, truth != NULL ? truth + literals : NULL, output, err);
}

static const struct delta_map_entry *map_at(const struct delta_map *map, uint64_t new_pos)
{
    uint32_t low = 0, high = map->n;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uint64_t)map->p[middle].new_pos + map->p[middle].len <= new_pos)
            low = middle + 1;
        else
            high = middle;
    }
    return map->p + low;
}

int delta_model_code(struct delta_model *m, struct delta_cm *cm, uint64_t start, uint64_t end,
                     const unsigned char *truth, const struct delta_copies *copies, struct delta_output *output,
                     struct hf_err *err)
{
    const struct delta_map *map = &m->p.setting->map;
    const struct delta_map_entry *e = map_at(map, start);
    size_t next = 0;
    int r = 0;

    m->cm = cm;
    m->new_pos = start;
    while (r == 0 && m->new_pos < end) {
        const unsigned char *here = truth != NULL ? truth + (m->new_pos - start) : NULL;
        bool more = e < map->p + map->n;
        if (more && e->new_pos <= m->new_pos) {
            uint64_t into = m->new_pos - e->new_pos, n = HF_MIN((uint64_t)e->len - into, end - m->new_pos);
            r = code_copy(m, e->old_pos + into, n, here, output, err);
            e++;
            continue;
        }
        uint64_t gap_end = more ? HF_MIN((uint64_t)e->new_pos, end) : end;
        struct delta_copy copy = {m->new_pos, 0, 0};
        unsigned is_inline = truth != NULL && delta_next_inline(copies, &next, m->new_pos, gap_end, &copy);
        is_inline = simple_bit(m, &m->inline_state[0], is_inline);
        if (is_inline != 0)
            r = code_inline(m, gap_end, &copy, here, output, err);
        else
            r = code_literals(m, gap_end - m->new_pos, here, output, err);
    }
    return r;
}
