#include "delta/match.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "delta/sort.h"

void delta_copies_done(struct delta_copies *copies)
{
    free(copies->p);
    *copies = (struct delta_copies){0};
}

int delta_copies_add(struct delta_copies *copies, struct delta_copy copy)
{
    if (copies->n == copies->cap) {
        size_t cap = copies->cap > 0 ? 2 * copies->cap : 1024;
        struct delta_copy *p = realloc(copies->p, cap * sizeof(*p));
        if (p == NULL)
            return -ENOMEM;
        copies->p = p;
        copies->cap = cap;
    }
    copies->p[copies->n++] = copy;
    return 0;
}

/* The last byte of old has none behind it: as a suffix it stands before all that begin with it, those of this pair of bytes
 * first. */
static unsigned pair_behind_last(const struct delta_matcher *m)
{
    return (unsigned)m->old[m->old_n - 1] << 8;
}

/* Not for a small file: sorting one takes less than this. */
static int note_starts(struct delta_matcher *m)
{
    enum { PAIRS = 1 << 16 };
    uint32_t next = 0;

    if (m->old_n < PAIRS)
        return 0;
    m->starts = calloc(PAIRS + 1, sizeof(*m->starts));
    if (m->starts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i + 1 < m->old_n; i++)
        m->starts[(unsigned)m->old[i] << 8 | m->old[i + 1]]++;
    for (unsigned pair = 0; pair <= PAIRS; pair++) {
        uint32_t n = m->starts[pair];
        next += pair == pair_behind_last(m);
        m->starts[pair] = next;
        next += n;
    }
    return 0;
}

/* Where the suffixes stand that begin with the same two bytes as `key`; false: unknown, or nowhere. */
static bool look_where(const struct delta_matcher *f, const unsigned char *key, size_t key_n, size_t *low, size_t *high)
{
    if (f->starts == NULL || key_n < 2)
        return false;
    unsigned pair = (unsigned)key[0] << 8 | key[1];
    *low = f->starts[pair];
    *high = f->starts[pair + 1] - (pair + 1 == pair_behind_last(f));
    return *low < *high;
}

/* Longest match of new[at..] in old by binary search; how far both ends of the interval already agree is not looked at
 * again. */
static size_t longest(const struct delta_matcher *f, size_t at, size_t *ret_rank)
{
    const unsigned char *key = f->new_bytes + at;
    size_t key_n = f->new_n - at, low = 0, high = f->old_n, low_lcp = 0, high_lcp = 0, best = 0;

    if (look_where(f, key, key_n, &low, &high)) {
        low_lcp = high_lcp = 2;
    } else {
        low = 0;
        high = f->old_n;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2, suffix = (size_t)f->suffixes[middle];
        size_t n = HF_MIN(low_lcp, high_lcp);
        n += delta_common(f->old + suffix + n, f->old_n - suffix - n, key + n, key_n - n);
        if (n > best) {
            best = n;
            *ret_rank = middle;
        }
        if (n == key_n)
            break;
        if (suffix + n == f->old_n || f->old[suffix + n] < key[n]) {
            low = middle + 1;
            low_lcp = n;
        } else {
            high = middle;
            high_lcp = n;
        }
    }
    return best;
}

/* Of two neighbouring matches whose extensions overlap in new, the border that leaves most bytes equal. */
static size_t best_border(const struct delta_matcher *f, size_t overlap, size_t new_start, size_t old_a, size_t old_b)
{
    size_t best = 0;
    long score = 0, best_score = 0;

    for (size_t i = 0; i < overlap; i++) {
        unsigned char byte = f->new_bytes[new_start + i];
        score += (old_a + i < f->old_n && f->old[old_a + i] == byte) - (f->old[old_b + i] == byte);
        if (score > best_score) {
            best_score = score;
            best = i + 1;
        }
    }
    return best;
}

static size_t extend_forward(const struct delta_matcher *f, size_t new_pos, size_t old_pos, size_t limit)
{
    size_t best = 0;
    long score = 0, best_score = 0;

    for (size_t i = 0; i < limit && old_pos + i < f->old_n;) {
        score += f->old[old_pos + i] == f->new_bytes[new_pos + i] ? 1 : -1;
        i++;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

static size_t extend_back(const struct delta_matcher *f, size_t new_pos, size_t old_pos, size_t limit)
{
    size_t best = 0;
    long score = 0, best_score = 0;

    for (size_t i = 1; i <= limit && i <= old_pos; i++) {
        score += f->old[old_pos - i] == f->new_bytes[new_pos - i] ? 1 : -1;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

/* Where we are: the last accepted match starts at (new_from, old_from); scan walks ahead of it. */
struct walk {
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* of the match among the suffixes */
    bool ranked;
    size_t better_by;
    bool looking;          /* the below hold: */
    size_t first, counted; /* where it began, up to where the diagonal was compared, */
    size_t same;           /* and how much of the match that has */
    struct delta_copies copies;
};

enum { STRIDE = 4096, FOUND = 2 * STRIDE, TIES = 32, AROUND = 32 };

/* What ways that go on side by side share: longest matches, by place. */
struct found {
    uint32_t at, rank, n; /* at: plus one, 0 none */
};

struct matching {
    const struct delta_matcher *matcher;
    struct found *found; /* NULL: one way alone */
};

static size_t longest_of(const struct matching *m, size_t at, size_t *ret_rank)
{
    struct found *found = m->found != NULL ? &m->found[at % FOUND] : NULL;

    if (found == NULL)
        return longest(m->matcher, at, ret_rank);
    if (found->at != at + 1) {
        size_t rank = 0, n = longest(m->matcher, at, &rank);
        *found = (struct found){(uint32_t)at + 1, (uint32_t)rank, (uint32_t)n};
    }
    *ret_rank = found->rank;
    return found->n;
}

/* Is what is left of the match at the position before good enough? Else long ones would be compared anew from each of their
 * bytes: a megabyte that old has twice took hours. */
static bool is_still_long(const struct delta_matcher *f, const struct walk *w)
{
    enum { LONG_SUFFIX = 1024, LOOK_EACH = 64, LONG_PLACE = 32 };

    return f->suffixes != NULL ? w->match_n > LONG_SUFFIX && w->scan % LOOK_EACH != 0 : w->match_n > LONG_PLACE;
}

/* Sets match_old and match_n for the position `scan`. `steps_on`: the one before was looked at just now. */
static void find_match(const struct matching *m, struct walk *w, bool steps_on)
{
    const struct delta_matcher *f = m->matcher;

    if (steps_on && is_still_long(f, w)) {
        w->match_n--;
        w->match_old++;
        w->ranked = false;
    } else if (f->suffixes != NULL) {
        w->match_n = longest_of(m, w->scan, &w->rank);
        w->match_old = w->match_n > 0 ? (size_t)f->suffixes[w->rank] : w->match_old;
        w->ranked = w->match_n > 0;
    } else {
        w->match_n = delta_places_longest(&f->places, f->old, f->old_n, f->new_bytes + w->scan, f->new_n - w->scan,
                                          w->scan + w->old_from - w->new_from, &w->match_old);
    }
}

/* Bytes around a match that are equal as well. */
static unsigned alike_around(const struct delta_matcher *f, size_t new_pos, size_t old_pos, size_t n)
{
    size_t before = HF_MIN(HF_MIN(new_pos, old_pos), (size_t)AROUND);
    size_t after = HF_MIN(HF_MIN(f->new_n - new_pos, f->old_n - old_pos) - n, (size_t)AROUND);
    const unsigned char *now = f->new_bytes + new_pos, *was = f->old + old_pos;
    unsigned same = 0;

    for (size_t i = 1; i <= before; i++)
        same += *(now - i) == *(was - i);
    for (size_t i = 0; i < after; i++)
        same += now[n + i] == was[n + i];
    return same;
}

static void take_better(const struct delta_matcher *f, struct walk *w, size_t rank, unsigned *most)
{
    size_t old_pos = (size_t)f->suffixes[rank];
    unsigned same = alike_around(f, w->scan, old_pos, w->match_n);
    size_t near = w->scan + w->old_from - w->new_from;

    if (same < *most || (same == *most && labs((long)(old_pos - near)) >= labs((long)(w->match_old - near))))
        return;
    *most = same;
    w->match_old = old_pos;
}

static bool is_as_long(const struct delta_matcher *f, const struct walk *w, size_t rank)
{
    if (rank >= f->old_n)
        return false;
    size_t old_pos = (size_t)f->suffixes[rank];
    return f->old_n - old_pos >= w->match_n && memcmp(f->old + old_pos, f->new_bytes + w->scan, w->match_n) == 0;
}

/* Of matches as long, the one whose surroundings are most alike, or else the nearest. */
static void settle(const struct delta_matcher *f, struct walk *w)
{
    if (!w->ranked)
        return;
    unsigned most = alike_around(f, w->scan, w->match_old, w->match_n);
    for (size_t i = 1; i <= TIES && is_as_long(f, w, w->rank - i); i++)
        take_better(f, w, w->rank - i, &most);
    for (size_t i = 1; i <= TIES && is_as_long(f, w, w->rank + i); i++)
        take_better(f, w, w->rank + i, &most);
}

static void look_on(struct walk *w)
{
    w->scan += w->match_n;
    w->first = w->counted = w->scan;
    w->same = 0;
    w->looking = true;
}

/* Go on until a match appears that beats simply staying on the diagonal. False where `stop` is reached before. */
static bool next_match(const struct matching *m, struct walk *w, size_t stop)
{
    const struct delta_matcher *f = m->matcher;
    long shift = (long)w->old_from - (long)w->new_from;

    if (!w->looking)
        look_on(w);
    for (; w->scan < stop; w->scan++) {
        find_match(m, w, w->scan > w->first);
        for (; w->counted < w->scan + w->match_n; w->counted++) {
            long at = (long)w->counted + shift;
            w->same += at >= 0 && (size_t)at < f->old_n && f->old[at] == f->new_bytes[w->counted];
        }
        if (w->match_n == w->same && w->same != 0) { /* as good as the diagonal: stay on it */
            look_on(w);
            w->scan--;
            continue;
        }
        if (w->match_n > w->same + w->better_by) {
            w->looking = false;
            settle(f, w);
            return true;
        }
        long at = (long)w->scan + shift;
        w->same -= at >= 0 && (size_t)at < f->old_n && f->old[at] == f->new_bytes[w->scan];
    }
    return false;
}

/* Write down the match before, as far as it and the one just found (if any) reach towards each other. */
static int take_match(const struct delta_matcher *f, struct walk *w, bool more, struct delta_copies *copies)
{
    size_t room = w->scan - w->new_from, forward = extend_forward(f, w->new_from, w->old_from, room), back = 0;

    if (more)
        back = extend_back(f, w->scan, w->match_old, room);
    if (w->new_from + forward > w->scan - back) {
        size_t overlap = w->new_from + forward - (w->scan - back);
        size_t keep = best_border(f, overlap, w->scan - back, w->old_from + forward - overlap, w->match_old - back);
        forward = forward - overlap + keep;
        back -= keep;
    }
    if (forward > 0 && delta_copies_add(copies, (struct delta_copy){w->new_from, w->old_from, forward}) < 0)
        return -ENOMEM;
    w->new_from = w->scan - back;
    w->old_from = w->match_old - back;
    return 0;
}

/* One way on to `stop`, a place in new. */
static int walk_to(const struct matching *m, struct walk *w, size_t stop)
{
    const struct delta_matcher *f = m->matcher;
    int r = 0;

    while (r == 0 && next_match(m, w, stop))
        r = take_match(f, w, true, &w->copies);
    if (r == 0 && stop == f->new_n)
        r = take_match(f, w, false, &w->copies);
    return r;
}

int delta_match(const struct delta_matcher *f, const unsigned *better_by, unsigned ways_n,
                int (*progress)(void *ctx, uint64_t done, uint64_t total), void *progress_ctx,
                struct delta_copies *const *ret_copies, struct hf_err *err)
{
    struct walk walks[DELTA_WAYS_MAX] = {{0}};
    struct matching m = {f, ways_n > 1 && f->suffixes != NULL ? calloc(FOUND, sizeof(*m.found)) : NULL};
    int r = 0;

    for (unsigned i = 0; i < ways_n; i++)
        walks[i].better_by = better_by[i];
    for (size_t stop = 0; r == 0 && f->old_n > 0 && stop < f->new_n;) {
        stop = f->new_n - stop > STRIDE ? stop + STRIDE : f->new_n;
        for (unsigned i = 0; r == 0 && i < ways_n; i++)
            r = walk_to(&m, &walks[i], stop);
        if (r == 0 && progress != NULL && stop % (16 * STRIDE) == 0 && progress(progress_ctx, stop, f->new_n) != 0)
            r = -ECANCELED;
    }
    free(m.found);
    for (unsigned i = 0; i < ways_n; i++) {
        if (r == 0)
            *ret_copies[i] = walks[i].copies;
        else
            delta_copies_done(&walks[i].copies);
    }
    return r == -ECANCELED ? hf_err_set(err, ECANCELED, "canceled while matching")
           : r < 0         ? hf_err_set(err, ENOMEM, "out of memory")
                           : 0;
}

bool delta_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t gap_end,
                       struct delta_copy *ret_copy)
{
    while (*next < copies->n && copies->p[*next].new_pos + copies->p[*next].len <= at)
        (*next)++;
    if (*next == copies->n || copies->p[*next].new_pos >= gap_end)
        return false;
    *ret_copy = copies->p[*next];
    if (ret_copy->new_pos < at) {
        ret_copy->len -= at - ret_copy->new_pos;
        ret_copy->old_pos += at - ret_copy->new_pos;
        ret_copy->new_pos = at;
    }
    ret_copy->len = HF_MIN(ret_copy->len, gap_end - ret_copy->new_pos);
    return true;
}

static int sort_old(struct delta_matcher *m)
{
    m->suffixes = malloc(m->old_n * sizeof(*m->suffixes));
    if (m->suffixes == NULL || delta_sort_suffixes(m->old, m->old_n, m->suffixes) < 0)
        return -ENOMEM;
    return note_starts(m);
}

int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                       size_t new_n, bool fast, struct hf_err *err)
{
    *m = (struct delta_matcher){.old = old, .new_bytes = new_bytes, .old_n = new_n > 0 ? old_n : 0, .new_n = new_n};
    if (m->old_n == 0 || (fast ? delta_places_open(&m->places, old, old_n) : sort_old(m)) == 0)
        return 0;
    delta_matcher_done(m);
    return hf_err_set(err, ENOMEM, "out of memory for the index of the old file");
}

void delta_matcher_done(struct delta_matcher *m)
{
    free(m->suffixes);
    free(m->starts);
    m->suffixes = NULL;
    m->starts = NULL;
    delta_places_done(&m->places);
}
