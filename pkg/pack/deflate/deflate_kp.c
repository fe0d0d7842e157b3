/* What klauspost/compress chooses at its usual level, 5, which is what pgzip and with it buildah, podman and skopeo write.
 *
 * Content goes by chunks of 65,535 bytes. Each is looked through once, with two tables: positions by four bytes, and the latest two by
 * seven. Where nothing is found the steps grow. pgzip starts anew every MiB, with the 16 KiB before it as a dictionary. */
#include <string.h>

#include "base/endian.h"
#include "base/macros.h"
#include "pack/deflate/deflate_match.h"

enum {
    MARGIN = 11,
    LEAST = 13, /* bytes of a chunk that is looked through at all */
    SMALL = 128,
    HASH_BITS = 15,
    MAX_MATCH = 258,
    SEGMENT = 1 << 20,
    DICTIONARY = 16384,
    POSITION_MAX = INT32_MAX - (1 << 20),
    /* Positions are kept modulo 2^16. From DEFLATE_WINDOW on all ages say the same, until they are AHEAD of coming round to positions
     * that are yet to come: those so old are set to one age again now and then. */
    AHEAD = 2048,
    OLD_AGE = 40000,
    AGED_EACH = 16384,
};
_Static_assert(OLD_AGE + 2 * (AGED_EACH + AHEAD) - AGED_EACH < (1 << 16) - AHEAD,
               "what is old stays so until it is aged again");

static uint32_t hash4(uint64_t word)
{
    return (uint32_t)word * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

static uint32_t hash7(uint64_t word)
{
    return (uint32_t)((word << 8) * UINT64_C(58295818150454627) >> (64 - HASH_BITS));
}

/* One look through a chunk. Positions are in the window. */
struct pass {
    struct deflate_kp *kp;
    const unsigned char *p;
    int low, start, end; /* first byte that may be matched, the chunk */
    int at, emit;        /* here; behind what has tokens */
    int next;            /* where to look after this */
    int match, length;
    unsigned tokens; /* so far */
};

/* Where a table's entry says, seen from `at`. */
static int place(const struct pass *pass, uint16_t entry, int at)
{
    int age = (uint16_t)((unsigned)(at + pass->kp->base) - entry);

    return at - (age < (1 << 16) - AHEAD ? age : age - (1 << 16));
}

static int near_by(const struct pass *pass, int at, int match)
{
    return at - match < DEFLATE_WINDOW && match >= 0 && hf_le32(pass->p + at) == hf_le32(pass->p + match);
}

static int match_on(const struct pass *pass, int at, int match, int limit)
{
    int n = 0;

    while (n < limit && at + n < pass->end && pass->p[at + n] == pass->p[match + n])
        n++;
    return n;
}

static int match_short(const struct pass *pass, int at, int match)
{
    return 4 + match_on(pass, at + 4, match + 4, MAX_MATCH - 4);
}

static int match_long(const struct pass *pass, int at, int match)
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

/* `now`, a position + base, is about to be kept, or none was kept for a while. In steps, for no age may come round in one. */
static void grow_old(struct deflate_kp *kp, unsigned now)
{
    while (now - kp->aged >= AGED_EACH && now - kp->aged <= INT32_MAX) {
        kp->aged = now - kp->aged < AGED_EACH + AHEAD ? now : kp->aged + AGED_EACH;
        age_table(kp->by4, kp->aged);
        age_table(kp->by7, kp->aged);
        age_table(kp->by7_before, kp->aged);
    }
}

/* Within a pass at least one position of 1024 comes here. */
static void keep_short(struct pass *pass, uint64_t word, int at)
{
    struct deflate_kp *kp = pass->kp;
    unsigned now = (unsigned)(at + kp->base);

    grow_old(kp, now);
    kp->by4[hash4(word)] = (uint16_t)now;
}

static void keep_long(struct pass *pass, uint64_t word, int at)
{
    uint16_t *now = &pass->kp->by7[hash7(word)];

    pass->kp->by7_before[hash7(word)] = *now;
    *now = (uint16_t)(at + pass->kp->base);
}

static void take(struct pass *pass, int at, int match, int length)
{
    pass->at = at;
    pass->match = match;
    pass->length = length;
}

/* A match of seven bytes or so: the later of two places, or the longer. */
static bool by_seven(struct pass *pass, uint64_t next, int now, int before)
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

/* A match of four, unless the next place looked at has a longer one. */
static bool by_four(struct pass *pass, uint64_t next, int found)
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

/* The next match; false: none before the margin. */
static bool search(struct pass *pass, uint64_t word)
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

/* As long as it gets: on, from what the place behind it says, and back. */
static void extend(struct pass *pass)
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

/* Longer than a token can say: in pieces, of which none may be too short. Each has DEFLATE_KP_LEAST bytes at least, so there is room. */
static void put_match(struct pass *pass)
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

/* Some positions inside the match, and the one before the next. */
static uint64_t keep_some(struct pass *pass, int length)
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

/* Choose; returns how many tokens that makes, 0 where there is too little to look at. */
static unsigned look_through(struct deflate_matcher *matcher, unsigned from, unsigned end)
{
    struct deflate_kp *kp = &matcher->kp;
    struct pass pass = {.kp = kp,
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

/* ---- chunks and segments ---------------------------------------------------------------------------------------------- */

/* What is before position `at`. */
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

/* The chunk before is used up: room for the next. */
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
    if (kp->base > POSITION_MAX) { /* what it does there is not known: nothing is found any more */
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

    /* What hardly gets shorter is written without matches. */
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
    bool told = match < end && match->at == at && match->length <= matcher->end - matcher->at;
    return told ? deflate_match(match->length, match->distance) : matcher->window[matcher->at];
}

bool deflate_kp_chunk_ends(const struct deflate_matcher *matcher)
{
    return matcher->at == matcher->end && matcher->kp.looked && matcher->end - matcher->kp.start == DEFLATE_KP_CHUNK;
}
