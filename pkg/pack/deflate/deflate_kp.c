/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens that klauspost/compress chooses at level 5, its default. pgzip uses it, and with it buildah, podman and
 * skopeo.
 *
 * It cuts content into chunks of 65,535 bytes and searches each chunk once, with two tables: the latest position by
 * hash of four bytes, and the latest two by hash of seven. Where it finds nothing, its steps grow. pgzip restarts
 * every MiB, with the 16 KiB before as a dictionary. */
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate_match.h"

enum {
    MARGIN = 11,
    LEAST = 13, /* bytes of the shortest chunk that it searches */
    SMALL = 128,
    HASH_BITS = 15,
    MAX_MATCH = 258,
    SEGMENT = 1 << 20,
    DICTIONARY = 16384,
    POSITION_MAX = INT32_MAX - (1 << 20),
    /* The tables hold positions modulo 2^16. All ages from DEFLATE_WINDOW on mean "too old". Before an old entry
     * could wrap around and look like a new position (AHEAD before 2^16), age_table() sets it back to OLD_AGE. */
    AHEAD = 2048,
    OLD_AGE = 40000,
    AGED_EACH = 16384,
};
_Static_assert(OLD_AGE + 2 * (AGED_EACH + AHEAD) - AGED_EACH < (1 << 16) - AHEAD,
               "an old entry stays old until the next aging");

static uint32_t hash4(uint64_t word)
{
    return (uint32_t)word * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

static uint32_t hash7(uint64_t word)
{
    return (uint32_t)((word << 8) * UINT64_C(58295818150454627) >> (64 - HASH_BITS));
}

/* The search of one chunk. Positions are those in the window. */
struct kp_pass {
    struct deflate_kp *kp;
    const unsigned char *p;
    int low;           /* first byte that may be part of a match */
    int start, end;    /* the chunk */
    int at, next;      /* current position; the one to look at after it */
    int emit;          /* end of the part that has tokens */
    int match, length; /* the match at `at` */
    unsigned tokens;   /* number of tokens so far */
};

/* Returns the position that a table's entry means, seen from `at`. */
static int place(const struct kp_pass *pass, uint16_t entry, int at)
{
    int age = (uint16_t)((unsigned)(at + pass->kp->base) - entry);

    return at - (age < (1 << 16) - AHEAD ? age : age - (1 << 16));
}

static int near_by(const struct kp_pass *pass, int at, int match)
{
    return at - match < DEFLATE_WINDOW && match >= 0 && hf_le32(pass->p + at) == hf_le32(pass->p + match);
}

static int match_on(const struct kp_pass *pass, int at, int match, int limit)
{
    int n = 0;

    while (n < limit && at + n < pass->end && pass->p[at + n] == pass->p[match + n])
        n++;
    return n;
}

static int match_short(const struct kp_pass *pass, int at, int match)
{
    return 4 + match_on(pass, at + 4, match + 4, MAX_MATCH - 4);
}

static int match_long(const struct kp_pass *pass, int at, int match)
{
    return match_on(pass, at, match, INT32_MAX);
}

static void age_table(uint16_t *table, unsigned now)
{
    for (size_t i = 0; i < 1 << HASH_BITS; i++) {
        uint16_t age = (uint16_t)(now - table[i]);
        table[i] = age >= DEFLATE_WINDOW && age < (1 << 16) - AHEAD ? (uint16_t)(now - OLD_AGE) : table[i];
    }
}

/* Ages the tables up to `now`, a position + base, before that position goes into a table. In steps, so that no age
 * can wrap around within one. */
static void grow_old(struct deflate_kp *kp, unsigned now)
{
    while (now - kp->aged >= AGED_EACH && now - kp->aged <= INT32_MAX) {
        kp->aged = now - kp->aged < AGED_EACH + AHEAD ? now : kp->aged + AGED_EACH;
        age_table(kp->by4, kp->aged);
        age_table(kp->by7, kp->aged);
        age_table(kp->by7_before, kp->aged);
    }
}

/* A search calls this for at least one of 1024 positions. */
static void keep_short(struct kp_pass *pass, uint64_t word, int at)
{
    struct deflate_kp *kp = pass->kp;
    unsigned now = (unsigned)(at + kp->base);

    grow_old(kp, now);
    kp->by4[hash4(word)] = (uint16_t)now;
}

static void keep_long(struct kp_pass *pass, uint64_t word, int at)
{
    uint16_t *now = &pass->kp->by7[hash7(word)];

    pass->kp->by7_before[hash7(word)] = *now;
    *now = (uint16_t)(at + pass->kp->base);
}

static void take(struct kp_pass *pass, int at, int match, int length)
{
    pass->at = at;
    pass->match = match;
    pass->length = length;
}

/* Looks for a match by the hash of seven bytes: the later of two positions, or the longer match. */
static bool by_seven(struct kp_pass *pass, uint64_t next, int now, int before)
{
    int at = pass->at;

    if (at - now >= DEFLATE_WINDOW)
        return false;
    if (near_by(pass, at, now)) {
        keep_short(pass, next, pass->next);
        keep_long(pass, next, pass->next);
        take(pass, at, now, 0);
        if (near_by(pass, at, before)) {
            int one = match_short(pass, at, now), other = match_short(pass, at, before);
            take(pass, at, other > one ? before : now, HF_MAX(one, other));
        }
        return true;
    }
    if (!near_by(pass, at, before))
        return false;
    keep_short(pass, next, pass->next);
    keep_long(pass, next, pass->next);
    take(pass, at, before, 0);
    return true;
}

/* Looks for a match by the hash of four bytes, but takes the match at the next position if that is longer. */
static bool by_four(struct kp_pass *pass, uint64_t next, int found)
{
    const struct deflate_kp *kp = pass->kp;

    if (!near_by(pass, pass->at, found))
        return false;
    int later[2] = {place(pass, kp->by7[hash7(next)], pass->next),
                    place(pass, kp->by7_before[hash7(next)], pass->next)};
    take(pass, pass->at, found, match_short(pass, pass->at, found));
    keep_short(pass, next, pass->next);
    keep_long(pass, next, pass->next);
    if (pass->next - later[0] >= DEFLATE_WINDOW)
        return true;
    for (unsigned i = 0; i < 2; i++) {
        if (!near_by(pass, pass->next, later[i]))
            continue;
        int length = match_short(pass, pass->next, later[i]);
        if (length > pass->length) {
            take(pass, pass->next, later[i], length);
            return true;
        }
    }
    return true;
}

/* Finds the next match. Returns false if none begins before the margin at the end of the chunk. */
static bool search(struct kp_pass *pass, uint64_t word)
{
    const struct deflate_kp *kp = pass->kp;

    for (pass->next = pass->at;;) {
        uint32_t h4 = hash4(word), h7 = hash7(word);
        pass->at = pass->next;
        pass->next = pass->at + 1 + ((pass->at - pass->emit) >> 6);
        if (pass->next > pass->end - MARGIN)
            return false;
        int found = place(pass, kp->by4[h4], pass->at), now = place(pass, kp->by7[h7], pass->at),
            before = place(pass, kp->by7_before[h7], pass->at);
        keep_short(pass, word, pass->at);
        keep_long(pass, word, pass->at);
        word = hf_le64(pass->p + pass->next);
        if (by_seven(pass, word, now, before) || by_four(pass, word, found))
            return true;
    }
}

/* Extends the match: forwards, with a candidate from the position behind it, and backwards. */
static void extend(struct kp_pass *pass)
{
    int at = pass->at, match = pass->match, length = pass->length;

    if (length == 0)
        length = 4 + match_long(pass, at + 4, match + 4);
    else if (length == MAX_MATCH)
        length += match_long(pass, at + length, match + length);
    if (length < 30 && at + length < pass->end - MARGIN) {
        int behind = place(pass, pass->kp->by7[hash7(hf_le64(pass->p + at + length))], at + length) - length + 2;
        int far = at + 2 - behind;
        if (behind >= pass->low && far < DEFLATE_WINDOW && far > 0) {
            int other = match_long(pass, at + 2, behind);
            if (other > length) {
                length = other;
                match = behind;
                at += 2;
            }
        }
    }
    for (; match > pass->low && at > pass->emit && pass->p[match - 1] == pass->p[at - 1]; length++) {
        match--;
        at--;
    }
    take(pass, at, match, length);
}

/* Stores the match, cut into pieces of at most MAX_MATCH bytes, none too short. Each piece has at least
 * DEFLATE_KP_LEAST bytes, so `matches` has room for all. */
static void put_match(struct kp_pass *pass)
{
    struct deflate_kp *kp = pass->kp;

    for (int left = pass->length; left > 0;) {
        int n = left <= MAX_MATCH ? left : left > MAX_MATCH + 3 ? MAX_MATCH : MAX_MATCH - 3;
        kp->matches[kp->matches_n++] = (struct deflate_kp_match){
            (uint16_t)(pass->at + pass->length - left - pass->start), (uint16_t)n, (uint16_t)(pass->at - pass->match)};
        pass->tokens++;
        left -= n;
    }
}

/* Inserts some positions inside the match, and the last one. Returns the eight bytes at the position behind it. */
static uint64_t keep_some(struct kp_pass *pass, int length)
{
    int i = pass->at - length + 1;

    if (i < pass->at - 1) {
        uint64_t word = hf_le64(pass->p + i);
        keep_short(pass, word, i);
        keep_long(pass, word, i);
        keep_long(pass, word >> 8, i + 1);
        keep_short(pass, word >> 16, i + 2);
        for (i += 4; i < pass->at - 1; i += 3) {
            word = hf_le64(pass->p + i);
            keep_long(pass, word, i);
            keep_short(pass, word >> 8, i + 1);
        }
    }
    uint64_t word = hf_le64(pass->p + pass->at - 1);
    keep_short(pass, word, pass->at - 1);
    keep_long(pass, word, pass->at - 1);
    return word >> 8;
}

/* Finds the matches of [from, end). Returns the number of tokens; 0: the chunk is too short to search. */
static unsigned look_through(struct deflate_matcher *matcher, unsigned from, unsigned end)
{
    struct deflate_kp *kp = &matcher->kp;
    struct kp_pass pass = {.kp = kp,
                           .p = matcher->window,
                           .low = (int)kp->low,
                           .start = (int)from,
                           .end = (int)end,
                           .at = (int)from,
                           .emit = (int)from};

    grow_old(kp, (unsigned)kp->base + from);
    kp->matches_n = 0;
    if (end - from < LEAST)
        return 0;
    for (uint64_t word = hf_le64(pass.p + pass.at); search(&pass, word);) {
        extend(&pass);
        pass.tokens += (unsigned)(pass.at - pass.emit);
        put_match(&pass);
        pass.emit = pass.at += pass.length;
        if (pass.next >= pass.at)
            pass.at = pass.next + 1;
        if (pass.at >= pass.end - MARGIN)
            break;
        word = keep_some(&pass, pass.length);
    }
    return pass.tokens + (unsigned)(pass.end - pass.emit);
}

/* ---- chunks and segments ----------------------------------------------------------------------------------------- */

/* Makes all entries too old, so that nothing before `at` matches. */
static void forget(struct deflate_kp *kp, unsigned at)
{
    kp->aged = (unsigned)kp->base + at;
    for (unsigned i = 0; i < HF_LEN(kp->by4); i++)
        kp->by4[i] = kp->by7[i] = kp->by7_before[i] = (uint16_t)(kp->aged - OLD_AGE);
}

void deflate_kp_init(struct deflate_matcher *matcher)
{
    forget(&matcher->kp, 0);
}

/* Makes room for the next chunk. */
static void next_chunk(struct deflate_matcher *matcher)
{
    struct deflate_kp *kp = &matcher->kp;
    unsigned keep = HF_MIN(matcher->at, (unsigned)DEFLATE_WINDOW), moved = matcher->at - keep;

    memmove(matcher->window, matcher->window + moved, keep);
    matcher->at = matcher->end = keep;
    kp->low -= HF_MIN(kp->low, moved);
    kp->base += (int32_t)moved;
    kp->size = DEFLATE_KP_CHUNK;
    kp->looked = false;
    if (kp->base > POSITION_MAX) { /* we do not know what the encoder does here: start without old positions */
        kp->base = 0;
        forget(kp, keep);
    }
    if (matcher->flavour != DEFLATE_PGZIP)
        return;
    if (kp->left == 0) {
        kp->left = SEGMENT;
        kp->base = 0;
        kp->low = keep - HF_MIN(keep, (unsigned)DICTIONARY);
        forget(kp, kp->low);
        (void)look_through(matcher, kp->low, keep);
    }
    kp->size = HF_MIN(kp->size, kp->left);
    kp->left -= kp->size;
}

static void look(struct deflate_matcher *matcher)
{
    struct deflate_kp *kp = &matcher->kp;
    unsigned n = matcher->end - matcher->at, tokens = look_through(matcher, matcher->at, matcher->end);

    /* Content that matches hardly shorten becomes literals only. */
    if (n < SMALL || tokens > n - (n >> 4))
        kp->matches_n = 0;
    kp->looked = true;
    kp->next = 0;
}

size_t deflate_kp_fill(struct deflate_matcher *matcher, const unsigned char *bytes, size_t n)
{
    struct deflate_kp *kp = &matcher->kp;

    if (kp->size == 0 || (kp->looked && matcher->at == matcher->end))
        next_chunk(matcher);
    if (kp->looked)
        return 0;
    if (matcher->at == matcher->end)
        kp->start = matcher->at;
    n = HF_MIN(n, (size_t)(kp->size - (matcher->end - matcher->at)));
    memcpy(matcher->window + matcher->end, bytes, n);
    matcher->end += (unsigned)n;
    if (matcher->end - matcher->at == kp->size)
        look(matcher);
    return n;
}

bool deflate_kp_ready(const struct deflate_matcher *matcher)
{
    return matcher->at < matcher->end && (matcher->kp.looked || matcher->eof);
}

uint32_t deflate_kp_predict(struct deflate_matcher *matcher)
{
    struct deflate_kp *kp = &matcher->kp;

    if (!kp->looked)
        look(matcher);
    unsigned at = matcher->at - kp->start;
    const struct deflate_kp_match *match = kp->matches + kp->next, *end = kp->matches + kp->matches_n;
    while (match < end && match->at < at)
        match++;
    kp->next = (uint32_t)(match - kp->matches);
    bool is_match = match < end && match->at == at && match->length <= matcher->end - matcher->at;
    return is_match ? deflate_match(match->length, match->distance) : matcher->window[matcher->at];
}

bool deflate_kp_chunk_ends(const struct deflate_matcher *matcher)
{
    return matcher->at == matcher->end && matcher->kp.looked && matcher->end - matcher->kp.start == DEFLATE_KP_CHUNK;
}
