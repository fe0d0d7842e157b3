/* SPDX-License-Identifier: Apache-2.0 */
/* The history holds bytes of the new file, with two changes in machine code. A reference holds the address of its
 * target instead of a distance, most significant byte first, so all references to one target look the same. An
 * AArch64 instruction begins with its opcode. Before each run of literals, the history also holds some old bytes
 * from near the place of that run.
 *
 * The match table has 2^match_bits entries. The index of an entry is a hash of a few bytes; the entry is the
 * position right after the latest bytes of the history with this hash. Bytes of copies enter every fourth position
 * into the table, or every position where that pays (`closely`). */
#include "delta/cm/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"

enum { ARM_LOOKS_BACK = 8, PLAIN_LOOKS_BACK = 6, COMPARED_MAX = 32, SEEN_AGO_MAX = 64 };

/* Kinds of bytes that select weights; words have one for each byte. */
enum { KIND_PLAIN, KIND_X86_REFERENCE, KIND_ARM };

enum delta_order delta_order_of(enum delta_machine machine, unsigned region)
{
    if (region != DELTA_REGION_CODE)
        return DELTA_ORDER_PLAIN;
    switch (machine) {
    case DELTA_MACHINE_X86_64:
    case DELTA_MACHINE_I386:
        return DELTA_ORDER_X86;
    case DELTA_MACHINE_AARCH64:
        return DELTA_ORDER_AARCH64;
    default:
        return DELTA_ORDER_PLAIN;
    }
}

int delta_stream_open(struct delta_stream *st, uint64_t block, unsigned lean)
{
    int r = delta_bytes_open(&st->bytes, block, lean);

    if (r < 0)
        return r;
    st->match_bits = st->bytes.rank_bits;
    st->history_size = UINT32_C(1) << st->bytes.table_bits;
    size_t match_n = sizeof(*st->match_at) << st->match_bits;
    st->match_at = malloc(match_n + st->history_size);
    if (st->match_at == NULL) {
        delta_bytes_done(&st->bytes);
        return -ENOMEM;
    }
    st->history = (unsigned char *)st->match_at + match_n;
    return 0;
}

void delta_stream_done(struct delta_stream *st)
{
    free(st->match_at);
    delta_bytes_done(&st->bytes);
}

void delta_stream_reset(struct delta_stream *st, bool quick)
{
    delta_bytes_reset(&st->bytes, quick);
    memset(st->history, 0, st->history_size);
    memset(st->match_at, 0, sizeof(st->match_at[0]) << st->match_bits);
    memset(st->old_hits, 0, sizeof(st->old_hits));
    st->pos = 64;
    st->place = 0;
    st->recent = st->tail = st->match = 0;
    st->match_length = st->seen_length = st->noted_at = st->noted_before = 0;
    st->order = DELTA_ORDER_PLAIN;
}

static unsigned char *at(struct delta_stream *st, uint64_t pos)
{
    return &st->history[pos & (st->history_size - 1)];
}

void delta_stream_go_to(struct delta_stream *st, uint64_t place)
{
    for (; ((st->pos ^ place) & 3) != 0; st->tail <<= 8)
        *at(st, st->pos++) = 0;
    st->place = place;
    st->match_length = 0;
}

/* Returns the n-th byte back, up to the 8th. */
static uint32_t back(const struct delta_stream *st, unsigned n)
{
    return (uint32_t)(st->tail >> (8 * (n - 1))) & 255;
}

/* Returns the n-th word before pos, as in the history. */
static uint32_t word_before(const struct delta_stream *st, uint64_t pos, unsigned n)
{
    uint32_t mask = st->history_size - 1, p = (uint32_t)pos - 4 * n;
    const unsigned char *h = st->history;

    return (uint32_t)h[p & mask] << 24 | (uint32_t)h[(p + 1) & mask] << 16 | (uint32_t)h[(p + 2) & mask] << 8 |
           h[(p + 3) & mask];
}

/* Converts bl and adrp between distances from `place` and targets (a word or a page). */
static uint32_t arm_turned(uint32_t w, uint64_t place, bool back_again)
{
    uint32_t word = (uint32_t)(place >> 2), page = (uint32_t)(place >> 12);
    /* mask of the distance; branch-free, since bl is frequent */
    uint32_t distance = (w & 0xfc000000) == 0x94000000 ? 0x3ffffff : 0;

    if ((w & 0x9f000000) == 0x90000000) {
        uint32_t pages = (w >> 29 & 3) | (w >> 3 & 0x1ffffc);
        pages = back_again ? pages - page : pages + page;
        return (w & 0x9f00001f) | (pages & 3) << 29 | (pages & 0x1ffffc) << 3;
    }
    return (w & ~distance) | ((back_again ? w - word : w + word) & distance);
}

/* ---- repetitions ----------------------------------------------------------------------------------------------- */

static uint32_t hash_of(const struct delta_stream *st, bool arm, uint32_t w1, uint32_t w2)
{
    return (arm ? delta_hash(77, w1, w2) : delta_hash(78, w1, w2 & 0xffff)) >> (32 - st->match_bits);
}

/* Returns the length of the match between the bytes before pos and those before `before`, or 0 if it is too short. */
static uint32_t length_of_match(const struct delta_stream *st, uint64_t pos, uint32_t before, unsigned least)
{
    uint32_t mask = st->history_size - 1, n = 0;

    if (before == 0 || before == (uint32_t)pos || (uint32_t)pos - before >= st->history_size - 64)
        return 0;
    while (n < COMPARED_MAX && st->history[(before - 1 - n) & mask] == st->history[((uint32_t)pos - 1 - n) & mask])
        n++;
    return n < least ? 0 : n;
}

/* Enters the current position into the match table, and remembers the position it replaces; 0: unknown. */
static void note_here(struct delta_stream *st, bool arm)
{
    uint32_t *entry = &st->match_at[hash_of(st, arm, (uint32_t)st->tail, (uint32_t)(st->tail >> 32))];

    st->noted_arm = arm;
    st->noted_before = *entry;
    st->noted_at = *entry = (uint32_t)st->pos;
}

static void follow_match(struct delta_stream *st, unsigned byte)
{
    if (st->match_length == 0)
        return;
    if (*at(st, st->match) != byte) {
        st->match_length = 0;
        return;
    }
    st->match++;
    st->match_length = HF_MIN(st->match_length + 1, 65535u);
}

/* Appends a byte in the history's form; `look`: search for a match. */
static void push(struct delta_stream *st, unsigned byte, bool look)
{
    bool arm = st->order == DELTA_ORDER_AARCH64;

    follow_match(st, byte);
    *at(st, st->pos++) = (unsigned char)byte;
    st->tail = st->tail << 8 | byte;
    st->place++;
    if (arm && (st->pos & 3) != 0)
        return;
    note_here(st, arm);
    if (!look || st->match_length > 0)
        return;
    st->match_length = length_of_match(st, st->pos, st->noted_before, arm ? ARM_LOOKS_BACK : PLAIN_LOOKS_BACK);
    st->match = st->pos - ((uint32_t)st->pos - st->noted_before);
}

/* Converts the last word of the history from the new file's form. */
static void turn_word(struct delta_stream *st)
{
    uint64_t p = st->pos - 4;
    unsigned char bytes[4] = {*at(st, p), *at(st, p + 1), *at(st, p + 2), *at(st, p + 3)};
    uint32_t w = arm_turned(hf_le32(bytes), st->place - 4, false);

    hf_put_be32(at(st, p), w);
    st->tail = (st->tail & ~UINT64_C(0xffffffff)) | w;
}

/* Appends a byte; enters the position if `closely`, or at the end of a word. */
static void add_byte(struct delta_stream *st, unsigned byte, bool closely)
{
    bool arm = st->order == DELTA_ORDER_AARCH64;

    *at(st, st->pos++) = (unsigned char)byte;
    st->tail = st->tail << 8 | byte;
    st->place++;
    if ((st->pos & 3) == 0) {
        if (arm)
            turn_word(st);
        note_here(st, arm);
    } else if (closely && !arm) {
        note_here(st, false);
    }
}

/* The same for several words, where pos is divisible by 4. Reads only the last replaced position: nothing waits for
 * the others. */
static void add_words(struct delta_stream *st, const unsigned char *bytes, size_t words)
{
    bool arm = st->order == DELTA_ORDER_AARCH64;
    uint64_t tail = st->tail, pos = st->pos, place = st->place;

    for (size_t i = 0; i < words; i++, pos += 4, place += 4) {
        uint32_t w = arm ? arm_turned(hf_le32(bytes + 4 * i), place, false) : hf_be32(bytes + 4 * i);
        hf_put_be32(at(st, pos), w);
        if (i > 0)
            st->match_at[hash_of(st, arm, (uint32_t)tail, (uint32_t)(tail >> 32))] = (uint32_t)pos;
        tail = tail << 32 | w;
    }
    st->tail = tail;
    st->pos = pos;
    st->place = place;
    note_here(st, arm);
}

void delta_stream_add(struct delta_stream *st, const unsigned char *bytes, size_t n, bool closely)
{
    bool by_words = !closely || st->order == DELTA_ORDER_AARCH64;

    st->match_length = 0;
    for (size_t i = 0; i < n;) {
        if (by_words && (st->pos & 3) == 0 && n - i >= 4) {
            add_words(st, bytes + i, (n - i) / 4);
            i += (n - i) & ~(size_t)3;
        } else {
            add_byte(st, bytes[i++], closely);
        }
    }
    for (size_t i = n - HF_MIN(n, (size_t)8); i < n; i++)
        st->recent = st->recent << 8 | bytes[i];
}

void delta_stream_reference(struct delta_stream *st, uint64_t place, uint32_t distance)
{
    uint64_t p = st->pos - (st->place - place);
    uint32_t target = distance + (uint32_t)place + 4;

    for (unsigned i = 0; i < 4; i++)
        *at(st, p + i) = (unsigned char)(target >> (24 - 8 * i));
    if (st->pos - p < 12)
        st->tail = (uint64_t)word_before(st, st->pos, 2) << 32 | word_before(st, st->pos, 1);
}

/* ---- literals -------------------------------------------------------------------------------------------------- */

static unsigned match_bucket(uint32_t length)
{
    return length < 16    ? length / 2
           : length < 32  ? 8 + (length - 16) / 4
           : length < 64  ? 12
           : length < 128 ? 13
           : length < 512 ? 14
                          : 15;
}

/* True if the repetition seen at seen_at continues to pos. */
static bool still_repeats(const struct delta_stream *st, uint32_t pos)
{
    uint32_t mask = st->history_size - 1, n = pos - st->seen_at;

    if (st->seen_length == 0 || n > SEEN_AGO_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (st->history[(st->seen_match + i) & mask] != st->history[(st->seen_at + i) & mask])
            return false;
    return true;
}

unsigned delta_stream_expects(struct delta_stream *st, unsigned *ret_length)
{
    bool arm = st->order == DELTA_ORDER_AARCH64;
    uint32_t into = arm ? st->pos & 3 : 0, pos = (uint32_t)st->pos - into, mask = st->history_size - 1;

    if (still_repeats(st, pos)) {
        st->seen_length += pos - st->seen_at;
        st->seen_match += pos - st->seen_at;
    } else {
        uint32_t w1 = word_before(st, pos, 1), w2 = word_before(st, pos, 2);
        st->seen_match =
            st->noted_at == pos && st->noted_arm == arm ? st->noted_before : st->match_at[hash_of(st, arm, w1, w2)];
        st->seen_length = length_of_match(st, pos, st->seen_match, arm ? ARM_LOOKS_BACK : PLAIN_LOOKS_BACK);
    }
    st->seen_at = pos;
    if (st->seen_length == 0)
        return 0;
    for (unsigned i = 0; i < into; i++)
        if (st->history[(st->seen_match + 3 - i) & mask] != st->history[(pos + i) & mask])
            return 0;
    *ret_length = match_bucket(st->seen_length);
    return st->history[(st->seen_match + (arm ? 3 - into : 0)) & mask] + 1u;
}

/* Sets the guesses of repetition (trust 0 to 15) and old bytes (16 to 143). */
static void set_guesses(struct delta_stream *st, struct delta_byte_context *c,
                        const unsigned char *const old[STREAM_OLD], unsigned index)
{
    c->guess[0] = 0;
    c->trust[0] = 0;
    if (st->match_length > 0) {
        c->guess[0] = (uint16_t)(*at(st, st->match) + 1u);
        c->trust[0] = (uint16_t)match_bucket(st->match_length);
    }
    for (unsigned i = 0; i < STREAM_OLD; i++) {
        c->guess[1 + i] = old[i] != NULL ? (uint16_t)(old[i][index] + 1u) : 0;
        c->trust[1 + i] = (uint16_t)(16 + i * 64 + (st->old_hits[i] & 63));
    }
}

static void note_old(struct delta_stream *st, const struct delta_byte_context *c, unsigned byte)
{
    for (unsigned i = 0; i < STREAM_OLD; i++)
        if (c->guess[1 + i] > 0)
            st->old_hits[i] = st->old_hits[i] << 1 | (c->guess[1 + i] - 1u == byte);
}

/* `phase`: index of the byte in a reference, from 1; else 0. */
static void plain_contexts(struct delta_stream *st, struct delta_byte_context *c, unsigned phase)
{
    uint32_t c1 = back(st, 1), c4 = c1 | back(st, 2) << 8 | back(st, 3) << 16 | back(st, 4) << 24;
    uint32_t tag = phase << 8;

    c->table[0] = delta_hash(1, c4 & 0xffff, tag);
    c->table[1] = delta_hash(4, c4 & 0xffff00, tag);
    c->table[2] = delta_hash(0, c1, tag);
    c->rank[0] = delta_hash(8, c4 & 0xffffff, tag);
    c->rank[1] = delta_hash(9, c4, tag);
    c->kind = phase > 0 ? KIND_X86_REFERENCE : KIND_PLAIN;
    c->near = c1;
    c->scene = 0;
}

/* Sets those of the contexts below that quick learning uses. */
static void arm_contexts_learned(struct delta_byte_context *c, const uint32_t words[3], unsigned index, uint32_t part)
{
    uint32_t own = index << 30 ^ part;

    c->table[2] = delta_hash(0, own, 1);
    c->rank[0] = delta_hash(8, own, words[0]);
}

/* Sets the contexts of byte `index` of an instruction whose bytes so far are `part`. */
static void arm_contexts(struct delta_byte_context *c, const uint32_t words[3], unsigned index, uint32_t part)
{
    uint32_t w1 = words[0], w2 = words[1], w3 = words[2], own = index << 30 ^ part;

    arm_contexts_learned(c, words, index, part);
    c->table[0] = delta_hash(4, own, w1 >> 24 | w2 >> 24 << 8 | w3 >> 24 << 16);
    c->table[1] = delta_hash(6, own, (w1 & 31) | w1 >> 24 << 5);
    c->rank[1] = delta_hash(9, own, delta_hash(33, w1, w2));
    c->kind = KIND_ARM + index;
    c->near = index == 0 ? w1 >> 24 : part >> (8 * index - 8);
    c->scene = 0;
}

/* `index` selects the old byte at this position. */
static unsigned code_byte(struct delta_stream *st, struct delta_cm *cm, struct delta_byte_context *c,
                          const unsigned char *const old[STREAM_OLD], unsigned index, unsigned byte)
{
    set_guesses(st, c, old, index);
    byte = delta_bytes_code(&st->bytes, cm, c, byte);
    note_old(st, c, byte);
    return byte;
}

static unsigned code_or_learn(struct delta_stream *st, struct delta_cm *cm, struct delta_byte_context *c,
                              const unsigned char *const old[STREAM_OLD], unsigned byte)
{
    if (cm != NULL)
        return code_byte(st, cm, c, old, 0, byte);
    delta_bytes_learn(&st->bytes, c, byte);
    return byte;
}

static void arm_words_before(const struct delta_stream *st, uint32_t ret_words[3])
{
    ret_words[0] = (uint32_t)st->tail;
    ret_words[1] = (uint32_t)(st->tail >> 32);
    ret_words[2] = word_before(st, st->pos, 3);
}

static unsigned code_arm_word(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth,
                              const unsigned char *const old[STREAM_OLD], unsigned char *made)
{
    uint64_t place = st->place;
    uint32_t word = truth != NULL ? arm_turned(hf_le32(truth), place, false) : 0, part = 0, before[3];

    arm_words_before(st, before);
    for (unsigned i = 0; i < 4; i++) {
        struct delta_byte_context c;
        arm_contexts(&c, before, i, part);
        unsigned byte = code_byte(st, cm, &c, old, 3 - i, word >> (24 - 8 * i) & 255);
        part = part << 8 | byte;
        push(st, byte, true);
    }
    hf_put_le32(made, arm_turned(part, place, true));
    return 4;
}

/* Learns a unit without coding it, and without a search for repetitions. */
static unsigned learn_arm_word(struct delta_stream *st, const unsigned char *truth, unsigned char *made)
{
    uint32_t word = arm_turned(hf_le32(truth), st->place, false), before[3];

    arm_words_before(st, before);
    for (unsigned i = 0; i < 4; i++) {
        struct delta_byte_context c;
        uint32_t part = i > 0 ? word >> (32 - 8 * i) : 0;
        if (st->bytes.quick)
            arm_contexts_learned(&c, before, i, part);
        else
            arm_contexts(&c, before, i, part);
        delta_bytes_learn(&st->bytes, &c, word >> (24 - 8 * i) & 255);
    }
    hf_put_be32(at(st, st->pos), word);
    st->pos += 4;
    st->place += 4;
    st->tail = st->tail << 32 | word;
    st->match_length = 0;
    note_here(st, true);
    memcpy(made, truth, 4);
    return 4;
}

static unsigned code_x86_reference(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth,
                                   unsigned char *made)
{
    static const unsigned char *const none[STREAM_OLD] = {NULL};
    uint32_t behind = (uint32_t)st->place + 4, target = truth != NULL ? hf_le32(truth) + behind : 0, part = 0;

    for (unsigned i = 0; i < 4; i++) {
        struct delta_byte_context c;
        plain_contexts(st, &c, i + 1);
        unsigned byte = code_or_learn(st, cm, &c, none, target >> (24 - 8 * i) & 255);
        part = part << 8 | byte;
        push(st, byte, cm != NULL);
    }
    hf_put_le32(made, part - behind);
    return 4;
}

/* True if the last bytes announce a distance of four bytes: call, jmp, or a rip-relative operand. */
static bool x86_reference_follows(uint64_t recent)
{
    unsigned last = recent & 255, opcode = recent >> 8 & 255, escape = recent >> 16 & 255;

    if (last == 0xe8 || last == 0xe9)
        return true;
    if ((last & 0xc7) != 0x05)
        return false;
    if (escape == 0x0f && (opcode < 0x80 || opcode > 0x8f))
        return true;
    switch (opcode) {
    case 0x39:
    case 0x3b:
    case 0x63:
    case 0x80:
    case 0x83:
    case 0x89:
    case 0x8b:
    case 0x8d:
    case 0xc7:
    case 0xff:
        return true;
    default:
        return false;
    }
}

unsigned delta_stream_code(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth, uint64_t room,
                           const unsigned char *const old[STREAM_OLD], unsigned char ret_bytes[static 4])
{
    unsigned n = 1;

    if (st->order == DELTA_ORDER_AARCH64 && (st->pos & 3) == 0 && room >= 4) {
        n = cm != NULL ? code_arm_word(st, cm, truth, old, ret_bytes) : learn_arm_word(st, truth, ret_bytes);
    } else if (st->order == DELTA_ORDER_X86 && room >= 4 && x86_reference_follows(st->recent)) {
        n = code_x86_reference(st, cm, truth, ret_bytes);
    } else {
        struct delta_byte_context c;
        plain_contexts(st, &c, 0);
        ret_bytes[0] = (unsigned char)code_or_learn(st, cm, &c, old, truth != NULL ? truth[0] : 0);
        push(st, ret_bytes[0], cm != NULL);
        if (st->order == DELTA_ORDER_AARCH64 && (st->pos & 3) == 0)
            turn_word(st);
    }
    for (unsigned i = 0; i < n; i++)
        st->recent = st->recent << 8 | ret_bytes[i];
    return n;
}

void delta_stream_plain(struct delta_stream *st, struct delta_cm *cm, unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)delta_cm_code_plain(cm, bytes[i]);
    delta_stream_add(st, bytes, n, false);
}

/* ---- old bytes aside ------------------------------------------------------------------------------------------- */

void delta_stream_precede(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                          size_t n)
{
    st->order = order;
    delta_stream_go_to(st, place);
    delta_stream_add(st, bytes, n, false);
}

void delta_aside_begin(struct delta_stream *st, struct delta_aside *aside)
{
    aside->place = st->place;
    aside->recent = st->recent;
    aside->order = st->order;
    for (unsigned i = 0; i < STREAM_TAIL; i++)
        aside->tail[i] = *at(st, st->pos - STREAM_TAIL + i);
}

void delta_aside_learn(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                       size_t n)
{
    static const unsigned char *const none[STREAM_OLD] = {NULL};
    unsigned char made[4];

    st->order = order;
    delta_stream_go_to(st, place);
    for (size_t i = 0; i < n;)
        i += delta_stream_code(st, NULL, bytes + i, n - i, none, made);
}

void delta_aside_end(struct delta_stream *st, const struct delta_aside *aside)
{
    delta_stream_go_to(st, aside->place);
    for (unsigned i = 0; i < STREAM_TAIL; i++) {
        *at(st, st->pos++) = aside->tail[i];
        st->tail = st->tail << 8 | aside->tail[i];
    }
    st->recent = aside->recent;
    st->order = aside->order;
}
