/* SPDX-License-Identifier: Apache-2.0 */
/* The model divides a copy into windows. One bit tells if a whole window is as predicted. In other windows one bit
 * for each unit (a byte, a word of code, or a reference) tells the same, and bytes follow for units that are not.
 * The map predicts references, corrected by the moves of the same target seen before. Each bit mixes several
 * contexts. */
#include "delta/cm/model.h"
#include "base/endian.h"
#include "delta/cm/stream.h"
#include "delta/cm/words.h"

#include <errno.h>
#include <string.h>

enum {
    FLAG_TABLES = DELTA_LANES,
    FLAG_TABLES_QUICK = 5, /* the first of them */
    FLAG_BITS = 12,
    FLAG_COUNT_MAX = 15,
    WINDOW_MIN = 64,
    FLAG_WEIGHT_START = 2200,
    FLAG_WEIGHT_START_QUICK = 4000,
    FLAG_SPEED = 7,
    FLAG_LEAST = 448,
    /* units in fixed-length code, as kinds for the tables of flags: above the kinds of references that occur there */
    KIND_WORD = 30,
    KIND_IN_WORD = 31,
};

/* Sets of weights for flags: for bytes by units since the last miss, for references by kind, for bytes in a missed
 * word, and for words by candidates. */
enum { FLAG_IN_WORD = 48, FLAG_WORD = 52, FLAG_WEIGHTS = 68 };

/* log2 of the ratio between the tables of literals and those of bytes that differ, of which there are few. */
enum { LEANER = 2, REGIONS = 16 };

struct delta_model {
    struct delta_stream stream; /* cache-line aligned */
    struct delta_predictor p;
    struct delta_cm *cm;

    /* Slots: 12 bits of logit as in delta/cm/bytes.h, 4 bits of count. flag_rise is the growth of the logit for the
     * right bit, by its upper 8 bits and the count. */
    int16_t flags[FLAG_TABLES][1 << FLAG_BITS];
    int16_t flag_rise[256 * (FLAG_COUNT_MAX + 1)];
    delta_lanes flag_weight[FLAG_WEIGHTS];
    uint32_t window_state[1024], candidate_state[DELTA_REF_SLOTS * 64];
    struct delta_number segments, segment[2];

    bool quick; /* this is a quick block */
    struct delta_words words;
    unsigned char byte_by[REGIONS][256]; /* last difference of a changed byte, by the old byte before it */
    uint8_t kind_history[DELTA_REF_SLOTS];
    uint64_t new_pos;

    unsigned streak, window_size; /* windows as predicted in a row */
    uint32_t unit_history;        /* a bit for each unit; 1: missed */
    unsigned since_miss;          /* number of units */
    unsigned plain_kind;          /* kind of bytes: 0, or KIND_IN_WORD */
    unsigned char diff[32];       /* new - old, by position */
    uint64_t old_end;             /* end of the last copy */
    size_t joined;                /* bytes of the window that the stream has */
    unsigned char made[DELTA_WINDOW_MAX + 16];
};

static void init_flag_rise(struct delta_model *m)
{
    for (int x = -128; x < 128; x++)
        for (unsigned count = 0; count <= FLAG_COUNT_MAX; count++)
            m->flag_rise[(x & 255) << 4 | (int)count] = delta_bytes_rise(&m->stream.bytes, x, count);
}

struct delta_model *delta_model_new(struct delta_shared_context *shared)
{
    struct delta_model *m = aligned_alloc(_Alignof(struct delta_model), sizeof(*m));

    if (m == NULL)
        return NULL;
    m->p.shared = shared;
    if (delta_stream_open(&m->stream, HF_MIN(shared->new_size, (uint64_t)DELTA_BLOCK), shared->lean + LEANER) < 0) {
        free(m);
        return NULL;
    }
    init_flag_rise(m);
    return m;
}

void delta_model_free(struct delta_model *model)
{
    if (model != NULL)
        delta_stream_done(&model->stream);
    free(model);
}

static void fill32(uint32_t *p, size_t n)
{
    while (n-- > 0)
        p[n] = DELTA_BIT_INIT;
}

static void reset_flags(struct delta_model *m)
{
    int16_t start = m->quick ? FLAG_WEIGHT_START_QUICK : FLAG_WEIGHT_START;

    memset(m->flags, 0, sizeof(m->flags));
    for (unsigned i = 0; i < HF_LEN(m->flag_weight); i++)
        m->flag_weight[i] = (delta_lanes){0} + start;
}

void delta_model_reset(struct delta_model *m, bool quick)
{
    m->quick = quick;
    reset_flags(m);
    delta_stream_reset(&m->stream, quick);
    fill32(m->window_state, HF_LEN(m->window_state));
    fill32(m->candidate_state, HF_LEN(m->candidate_state));
    delta_number_init(&m->segments);
    for (unsigned i = 0; i < HF_LEN(m->segment); i++)
        delta_number_init(&m->segment[i]);
    delta_predictor_reset(&m->p);
    delta_words_reset(&m->words, m->p.shared->lean);
    memset(m->byte_by, 0, sizeof(m->byte_by));
    memset(m->kind_history, 0, sizeof(m->kind_history));
    memset(m->diff, 0, sizeof(m->diff));
    m->streak = 0;
    m->window_size = WINDOW_MIN;
    m->unit_history = 0;
    m->since_miss = 0;
    m->plain_kind = 0;
    m->old_end = 0;
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

static HF_ALWAYS_INLINE void learn_slots(const struct delta_model *m, delta_lanes v, int16_t *const *slot,
                                         unsigned tables, unsigned bit)
{
    delta_lanes count = v & FLAG_COUNT_MAX, wrong = (delta_lanes){0} + (int16_t)(bit != 0 ? 0 : -1);
    delta_lanes x = (v & ~FLAG_COUNT_MAX) ^ wrong, at = (x >> 4 & 0xff0) | count, up = {0};

#pragma GCC unroll 8
    for (unsigned i = 0; i < tables; i++)
        up[i] = m->flag_rise[at[i]];
    v = ((delta_lanes_add(x, up) ^ wrong) & ~FLAG_COUNT_MAX) | (count - (count < FLAG_COUNT_MAX));
#pragma GCC unroll 8
    for (unsigned i = 0; i < tables; i++)
        *slot[i] = v[i];
}

/* The prediction of a flag. */
struct flag {
    int16_t *slot[FLAG_TABLES];
    delta_lanes v, input, *weight;
    uint32_t p16;
};

/* Learns, unless the flag was nearly certain, and returns the bit. Inline with one call for each value, so that the
 * processor continues with the predicted bit. */
static HF_ALWAYS_INLINE unsigned learn_flag(const struct delta_model *m, const struct flag *f, unsigned tables,
                                            unsigned bit)
{
    int32_t error = ((bit != 0 ? 4096 : 0) - (int32_t)(f->p16 >> 4)) * FLAG_SPEED;

    if (error <= -FLAG_LEAST || error >= FLAG_LEAST) {
        learn_slots(m, f->v, f->slot, tables, bit);
        *f->weight = delta_lanes_add(*f->weight, delta_lanes_step(f->input, (int16_t)error));
    }
    return bit;
}

/* Codes a flag by the slots of contexts h, mixed by the weights of `kind`. */
static HF_ALWAYS_INLINE unsigned code_flag_by(struct delta_model *m, unsigned kind, const uint32_t *h, unsigned tables,
                                              unsigned bit)
{
    struct flag f = {.weight = &m->flag_weight[kind]};
    delta_lanes v = {0};

#pragma GCC unroll 8
    for (unsigned i = 0; i < tables; i++) {
        f.slot[i] = &m->flags[i][h[i] * 0x9e3779b1u >> (32 - FLAG_BITS)];
        v[i] = *f.slot[i];
    }
    f.v = v;
    f.input = v >> 4;
    f.p16 = delta_mixed(m->stream.bytes.squash, f.input, *f.weight);
    return delta_cm_code(m->cm, bit, f.p16) != 0 ? learn_flag(m, &f, tables, 1) : learn_flag(m, &f, tables, 0);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

/* A byte that differs from the prediction. */
struct missed {
    unsigned kind;       /* a byte of: 1 a copy, 2 a reference in code, 3 another reference */
    unsigned sub;        /* region; or kind of reference and byte in it */
    unsigned old;        /* old byte, or predicted byte */
    unsigned old_next;   /* the byte after it */
    unsigned guesses[2]; /* guessed bytes */
    unsigned guesses_n;
};

static unsigned diff_back(const struct delta_model *m, unsigned n)
{
    return m->diff[(m->new_pos - n) % 32];
}

static unsigned code_missed(struct delta_model *m, const struct missed *b, unsigned byte)
{
    uint32_t tag = b->kind << 16 | b->sub, c4 = (uint32_t)m->stream.recent, c1 = c4 & 255;
    unsigned repeats = 0;
    struct delta_byte_context c = {.kind = b->kind - 1, .scene = b->kind, .near = b->kind == 1 ? b->old : b->sub & 255};

    c.table[0] = delta_hash(13, c4 & 0xffff, tag);
    c.table[1] = delta_hash(14, b->old | diff_back(m, 1) << 8, tag);
    c.table[2] = delta_hash(15, b->old, tag);
    c.rank[0] = delta_hash(19, c4 & 0xffffff, b->kind);
    c.rank[1] = delta_hash(20, b->old | b->old_next << 8 | c1 << 16, tag);
    c.guess[0] = (uint16_t)delta_stream_expects(&m->stream, &repeats);
    c.trust[0] = (uint16_t)(160 + repeats);
    for (unsigned i = 0; i < b->guesses_n; i++) {
        c.guess[1 + i] = (uint16_t)(b->guesses[i] + 1);
        c.trust[1 + i] = (uint16_t)(144 + b->kind * 4 + i);
    }
    return delta_bytes_code(&m->stream.bytes, m->cm, &c, byte);
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
    return diff_back(m, n) != 0 ? 1u : 0u;
}

/* Codes whether the unit at `at` is as predicted. */
static HF_ALWAYS_INLINE unsigned code_unit_flag(struct delta_model *m, const struct delta_span *s, size_t at,
                                                const struct delta_ref *ref, const struct delta_guess *g,
                                                unsigned tables, unsigned missed)
{
    const unsigned char *old = s->old + at;
    uint32_t kind = ref != NULL ? delta_ref_slot(ref->kind) : m->plain_kind, where = s->region << 5 | kind,
             phase = (uint32_t)(s->old_pos + at) & 7;
    uint32_t h[FLAG_TABLES];

    h[0] = where | (uint32_t)old[0] << 9;
    h[1] = where | (uint32_t)old[0] << 9 | (uint32_t)old[-1] << 17;
    h[2] =
        where | (g != NULL ? g->source << 9 | (uint32_t)m->kind_history[kind] << 11 : (uint32_t)old[1] << 9 | 1u << 24);
    h[3] = where | (uint32_t)m->diff[(m->new_pos - 1) % 32] << 9 | (m->unit_history & 7) << 17;
    h[4] = where | (uint32_t)old[3 - (phase & 3)] << 9 | (phase & 3) << 17 | (m->unit_history & 3) << 19;
    h[5] = where | (m->unit_history & 255) << 9;
    h[6] = where | HF_MIN(m->since_miss, 63u) << 9 | phase << 15;
    h[7] = where | phase << 9 | differed(m, 4) << 12 | differed(m, 8) << 13 | differed(m, 16) << 14 |
           differed(m, 24) << 15 | differed(m, 12) << 16;
    return code_flag_by(m,
                        kind == KIND_IN_WORD ? FLAG_IN_WORD + (phase & 3)
                        : kind > 0           ? 16 + kind
                                             : HF_MIN(m->since_miss, 15u),
                        h, tables, missed);
}

static unsigned code_flag(struct delta_model *m, const struct delta_span *s, size_t at, const struct delta_ref *ref,
                          const struct delta_guess *g, unsigned missed)
{
    return m->quick ? code_unit_flag(m, s, at, ref, g, FLAG_TABLES_QUICK, missed)
                    : code_unit_flag(m, s, at, ref, g, FLAG_TABLES, missed);
}

/* Codes whether the word of code at `at` equals the old one. */
static HF_ALWAYS_INLINE unsigned code_word_flag(struct delta_model *m, const struct delta_span *s, size_t at,
                                                unsigned changed, unsigned tables, unsigned missed)
{
    const unsigned char *old = s->old + at;
    uint32_t where = s->region << 5 | KIND_WORD, below = 0, h[FLAG_TABLES];

    for (unsigned i = 1; i <= 8; i++)
        below = below << 1 | differed(m, i);
    h[0] = where | (uint32_t)old[3] << 9 | (uint32_t)(old[2] >> 5) << 17 | changed << 20;
    h[1] = where | (uint32_t)old[3] << 9 | (uint32_t)old[-1] << 17;
    h[2] = delta_hash(1, hf_le32(old), where);
    h[3] = where | (uint32_t)diff_back(m, 4) << 9 | (m->unit_history & 7) << 17 | changed << 20 | 1u << 24;
    h[4] = where | (uint32_t)old[0] << 9 | (old[1] & 3u) << 17 | (m->unit_history & 3) << 19;
    h[5] = where | (m->unit_history & 255) << 9;
    h[6] = where | HF_MIN(m->since_miss / 4, 63u) << 9 | changed << 15;
    h[7] = where | below << 9 | (m->unit_history >> 2 & 3) << 17;
    return code_flag_by(m, FLAG_WORD + changed, h, tables, missed);
}

static void note_unit(struct delta_model *m, unsigned missed)
{
    m->unit_history = m->unit_history << 1 | missed;
    m->since_miss = missed != 0 ? 0 : m->since_miss + 1;
}

static void note_byte(struct delta_model *m, unsigned char made, unsigned char old)
{
    m->diff[m->new_pos++ % 32] = (unsigned char)(made - old);
}

/* Adds the decoded part of the window to the stream, before something reads that. */
static void join(struct delta_model *m, size_t made)
{
    delta_stream_add(&m->stream, m->made + m->joined, made - m->joined, true);
    m->joined = made;
}

/* `known`: an earlier bit implies that the unit is missed; code no flag. */
static unsigned code_plain_unit(struct delta_model *m, const struct delta_span *s, size_t at,
                                const unsigned char *truth, bool known)
{
    unsigned old = s->old[at];
    unsigned missed = known ? 1 : code_flag(m, s, at, NULL, NULL, truth != NULL && truth[at] != old ? 1u : 0u);

    m->made[at] = (unsigned char)old;
    if (missed != 0) {
        unsigned char *by = &m->byte_by[s->region][s->old[at - 1]];
        struct missed b = {.kind = 1,
                           .sub = s->region,
                           .old = old,
                           .old_next = s->old[at + 1],
                           .guesses = {(old + *by) & 255, (old + diff_back(m, 4)) & 255},
                           .guesses_n = 2};
        join(m, at);
        m->made[at] = (unsigned char)code_missed(m, &b, truth != NULL ? truth[at] : 0);
        *by = (unsigned char)(m->made[at] - old);
    }
    note_unit(m, missed);
    note_byte(m, m->made[at], (unsigned char)old);
    return 1;
}

static bool is_distance(const struct delta_ref *ref)
{
    return ref->kind == DELTA_REF_CALL || ref->kind == DELTA_REF_JMP || ref->kind == DELTA_REF_RIP;
}

/* Stores the reference in the stream by its target if literal code has such references too. */
static void note_reference(struct delta_model *m, const struct delta_ref *ref, uint64_t word)
{
    delta_stream_reference(&m->stream, m->new_pos - ref->n, (uint32_t)word);
}

static unsigned code_reference(struct delta_model *m, const struct delta_span *s, const struct delta_ref *ref,
                               const struct delta_guess *g, const unsigned char *truth)
{
    uint64_t word = truth != NULL ? hf_le(truth + ref->at, ref->n) : 0;
    unsigned missed = code_flag(m, s, ref->at, ref, g, word != g->word[0]), slot = delta_ref_slot(ref->kind), k = 0;
    unsigned char bytes[8] = {0}, predicted[8] = {0};

    hf_put_le(predicted, ref->n, g->word[0]);
    if (missed == 0) {
        word = g->word[0];
    } else {
        for (k = 1; k < g->n; k++)
            if (delta_bit_code(m->cm, &m->candidate_state[(slot * 4 + k) * 4 + g->source], word == g->word[k]) != 0)
                break;
        if (k < g->n)
            word = g->word[k];
    }
    hf_put_le(bytes, ref->n, word);
    for (unsigned i = 0; i < ref->n; i++) {
        if (missed != 0 && k == g->n) {
            struct missed b = {.kind = slot < DELTA_REF_ABS64 ? 2 : 3,
                               .sub = slot * 8 + i,
                               .old = predicted[i],
                               .old_next = predicted[(i + 1) % ref->n],
                               .guesses_n = 2};
            join(m, ref->at + i);
            b.guesses[0] = predicted[i];
            b.guesses[1] = s->old[ref->at + i];
            bytes[i] = (unsigned char)code_missed(m, &b, bytes[i]);
        }
        m->made[ref->at + i] = bytes[i];
        note_byte(m, bytes[i], predicted[i]);
    }
    if (is_distance(ref)) {
        join(m, ref->at + ref->n);
        note_reference(m, ref, hf_le(bytes, ref->n));
    }
    note_unit(m, missed);
    m->kind_history[slot] = (uint8_t)((unsigned)m->kind_history[slot] << 1 | missed);
    if (missed != 0)
        delta_predictor_learn(&m->p, ref, g, hf_le(bytes, ref->n));
    return ref->n;
}

/* Codes a word of code without a reference: AArch64 instructions change as a whole. */
static bool is_word(const struct delta_model *m, const struct delta_span *s, size_t at, size_t next_ref_at)
{
    return m->stream.order == DELTA_ORDER_AARCH64 && ((s->old_pos + at) & 3) == 0 && at + 4 <= next_ref_at;
}

/* Codes its bytes one by one. */
static void code_bytes_of_word(struct delta_model *m, const struct delta_span *s, size_t at, const unsigned char *truth)
{
    m->plain_kind = KIND_IN_WORD;
    m->unit_history <<= 1;
    for (unsigned i = 0; i < 4; i++)
        (void)code_plain_unit(m, s, at + i, truth, i == 3 && (m->unit_history & 7) == 0);
    m->plain_kind = 0;
}

static void put_word(struct delta_model *m, const struct delta_span *s, size_t at, uint32_t word)
{
    hf_put_le32(m->made + at, word);
    for (size_t i = at; i < at + 4; i++)
        note_byte(m, m->made[i], s->old[i]);
}

static unsigned code_word(struct delta_model *m, const struct delta_span *s, size_t at, const unsigned char *truth)
{
    uint32_t old = hf_le32(s->old + at), before = m->unit_history, word = truth != NULL ? hf_le32(truth + at) : 0;
    unsigned missed = word != old;
    struct delta_word_guess g;

    delta_words_guess(&m->words, old, &g);
    missed = m->quick ? code_word_flag(m, s, at, g.changed, FLAG_TABLES_QUICK, missed)
                      : code_word_flag(m, s, at, g.changed, FLAG_TABLES, missed);
    if (missed == 0)
        put_word(m, s, at, old);
    else if (delta_words_code(&m->words, m->cm, &g, word, &word))
        put_word(m, s, at, word);
    else
        code_bytes_of_word(m, s, at, truth);
    delta_words_note(&m->words, &g, hf_le32(m->made + at));
    m->since_miss = missed != 0 ? 0 : m->since_miss + 4;
    m->unit_history = before << 1 | missed;
    return 4;
}

static void code_units(struct delta_model *m, const struct delta_span *s, const unsigned char *truth)
{
    size_t at = 0, r = 0;

    m->joined = 0;
    while (at < s->n && m->cm->failed == 0) {
        size_t next_ref_at = r < s->refs ? m->p.refs[r].at : s->n;
        if (next_ref_at == at) {
            at += code_reference(m, s, &m->p.refs[r], &m->p.guesses[r], truth);
            r++;
        } else if (is_word(m, s, at, next_ref_at)) {
            at += code_word(m, s, at, truth);
        } else {
            at += code_plain_unit(m, s, at, truth, false);
        }
    }
    join(m, HF_MIN(at, s->n));
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
    for (size_t i = 0; i < s->refs; i++) {
        uint8_t *history = &m->kind_history[delta_ref_slot(m->p.refs[i].kind)];
        *history = (uint8_t)(*history << 1);
    }
    memset(m->diff, 0, sizeof(m->diff));
    delta_stream_add(&m->stream, m->made, s->n, false);
    for (size_t i = 0; i < s->refs; i++) {
        m->new_pos = s->new_pos + m->p.refs[i].at + m->p.refs[i].n;
        if (is_distance(&m->p.refs[i]))
            note_reference(m, &m->p.refs[i], m->p.guesses[i].word[0]);
    }
    m->new_pos = s->new_pos + s->n;
    m->since_miss += (unsigned)HF_MIN(s->n, (size_t)1000);
    m->unit_history = 0;
    m->streak++;
    if (m->window_size < DELTA_WINDOW_MAX && m->streak >= 2)
        m->window_size *= 2;
}

/* Codes the new segments by their differences from the old ones. */
static int code_segments(void *ctx, struct delta_predictor *p, const struct delta_segments *truth)
{
    struct delta_model *m = ctx;
    uint64_t n = delta_number_code(m->cm, &m->segments, truth != NULL ? truth->n : 0);

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
            made[k] = old[k] + (uint64_t)delta_unzigzag(delta_number_code(m->cm, &m->segment[k & 1],
                                                                          delta_zigzag((int64_t)(want[k] - old[k]))));
        p->segments.p[i] = (struct delta_segment){made[0], made[1], made[2], made[3]};
    }
    return m->cm->failed;
}

enum { LOADS_BEFORE = 512 };

/* At the start of a copy in 32-bit ARM code, scans the code before it for loads from literal pools inside. */
static int look_before(struct delta_model *m, uint64_t old_pos, struct hf_err *err)
{
    size_t n = (size_t)HF_MIN(HF_MIN((uint64_t)LOADS_BEFORE, old_pos), m->new_pos);
    struct delta_span s = {.new_pos = m->new_pos - n, .old_pos = old_pos - n};

    if (m->p.image.machine != DELTA_MACHINE_ARM || old_pos == m->old_end || n == 0)
        return 0;
    return delta_predictor_window(&m->p, &s, n, n, err);
}

static int code_copy(struct delta_model *m, uint64_t old_pos, uint64_t n, const unsigned char *truth,
                     struct delta_output *output, struct hf_err *err)
{
    int r = delta_predictor_enter(&m->p, m->new_pos, code_segments, m, err);

    if (r < 0 || (r = look_before(m, old_pos, err)) < 0)
        return r;
    while (n > 0) {
        struct delta_span s = {.new_pos = m->new_pos, .old_pos = old_pos};
        if ((r = delta_predictor_enter(&m->p, m->new_pos, code_segments, m, err)) < 0 ||
            (r = delta_predictor_window(&m->p, &s, m->window_size, n, err)) < 0)
            return r;
        if (m->stream.place != m->new_pos)
            delta_stream_go_to(&m->stream, m->new_pos);
        m->stream.order = delta_order_of(m->p.image.machine, s.region);
        unsigned bad = truth != NULL && memcmp(truth, m->p.predicted, s.n) != 0;
        if (delta_bit_code(m->cm, &m->window_state[window_context(m, &s)], bad) == 0) {
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
    m->old_end = old_pos;
    return 0;
}

/* ---- a stripe -------------------------------------------------------------------------------------------------- */

/* Source and destination of literals and short copies. */
struct gaps {
    const struct delta_copies *copies; /* encoding only */
    size_t next;
    struct delta_literal_queue *queue; /* decoding only */
    struct delta_output *output;
};

enum { AT_ONCE = 1024 };

static int put_literals(struct gaps *g, uint64_t n, struct hf_err *err)
{
    int r = 0;

    while (r == 0 && g->queue != NULL && n > 0) {
        size_t part = (size_t)HF_MIN(n, (uint64_t)AT_ONCE);
        const unsigned char *bytes;
        if ((r = delta_literal_queue_take(g->queue, part, &bytes, err)) == 0)
            r = delta_output_write(g->output, bytes, part, err);
        n -= part;
    }
    return r;
}

static int next_run(const struct delta_model *m, struct gaps *g, uint64_t gap_end, struct delta_literal_run *head,
                    struct hf_err *err)
{
    const unsigned char *bytes;
    struct delta_copy copy;

    if (g->queue != NULL) {
        int r = delta_literal_queue_take(g->queue, sizeof(*head), &bytes, err);
        if (r == 0)
            memcpy(head, bytes, sizeof(*head));
        return r;
    }
    *head = (struct delta_literal_run){.literals = (uint32_t)(gap_end - m->new_pos)};
    if (delta_copies_next_inline(g->copies, &g->next, m->new_pos, gap_end, &copy))
        *head = (struct delta_literal_run){copy.old_pos, (uint32_t)(copy.new_pos - m->new_pos), (uint32_t)copy.len};
    return 0;
}

static void pass_literals(struct delta_model *m, uint64_t n)
{
    for (uint64_t i = 0; i < HF_MIN(n, (uint64_t)sizeof(m->diff)); i++)
        m->diff[(m->new_pos + i) % sizeof(m->diff)] = 0;
    m->new_pos += n;
}

/* Handles a run of literals and the copy behind it. */
static int code_run(struct delta_model *m, struct gaps *g, uint64_t gap_end, const unsigned char *truth,
                    struct hf_err *err)
{
    struct delta_literal_run head = {0};
    int r = next_run(m, g, gap_end, &head, err);

    if (r < 0 || (r = put_literals(g, head.literals, err)) < 0)
        return r;
    pass_literals(m, head.literals);
    return head.copied == 0
               ? 0
               : code_copy(m, head.old_pos, head.copied, truth != NULL ? truth + head.literals : NULL, g->output, err);
}

static int code_stripe(struct delta_model *m, uint64_t start, uint64_t end, const unsigned char *truth, struct gaps *g,
                       struct hf_err *err)
{
    const struct delta_map *map = &m->p.shared->map;
    const struct delta_map_entry *e = delta_map_at(map, start), *last = map->p + map->n;
    int r = 0;

    m->new_pos = start;
    while (r == 0 && m->new_pos < end) {
        const unsigned char *here = truth != NULL ? truth + (m->new_pos - start) : NULL;
        if (e < last && e->new_pos <= m->new_pos) {
            uint64_t into = m->new_pos - e->new_pos, n = HF_MIN((uint64_t)e->len - into, end - m->new_pos);
            r = code_copy(m, e->old_pos + into, n, here, g->output, err);
            e++;
        } else {
            r = code_run(m, g, e < last ? HF_MIN((uint64_t)e->new_pos, end) : end, here, err);
        }
    }
    return r;
}

int delta_model_encode(struct delta_model *m, struct delta_cm *cm, uint64_t start, uint64_t end,
                       const unsigned char *truth, const struct delta_copies *copies, struct hf_err *err)
{
    struct gaps gaps = {.copies = copies};

    m->cm = cm;
    return code_stripe(m, start, end, truth, &gaps, err);
}

int delta_model_decode(struct delta_model *m, struct delta_cm *cm, uint64_t start, uint64_t end,
                       struct delta_literal_queue *queue, struct delta_output *output, struct hf_err *err)
{
    struct gaps gaps = {.queue = queue, .output = output};

    m->cm = cm;
    return code_stripe(m, start, end, NULL, &gaps, err);
}
