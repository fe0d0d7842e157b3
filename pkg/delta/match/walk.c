#include "delta/match/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/match/alike.h"

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
    return delta_reach(f->old + old_pos, f->new_bytes + new_pos, HF_MIN(limit, f->old_n - old_pos));
}

static size_t extend_back(const struct delta_matcher *f, size_t new_pos, size_t old_pos, size_t limit)
{
    return delta_reach_back(f->old + old_pos, f->new_bytes + new_pos, HF_MIN(limit, old_pos));
}

enum { TIES = 32, AROUND = 32 };

static size_t longest_of(const struct delta_walk *w, size_t *ret_rank)
{
    const struct delta_matcher *f = w->matcher;
    const unsigned char *key = f->new_bytes + w->scan;
    struct delta_longest *known = w->known != NULL ? &w->known[w->scan % DELTA_KNOWN] : NULL;

    if (known == NULL)
        return delta_suffixes_longest(&f->suffixes, key, f->new_n - w->scan, ret_rank);
    if (known->at != w->scan + 1) {
        size_t rank = 0, n = delta_suffixes_longest(&f->suffixes, key, f->new_n - w->scan, &rank);
        *known = (struct delta_longest){(uint32_t)w->scan + 1, (uint32_t)rank, (uint32_t)n};
    }
    *ret_rank = known->rank;
    return known->n;
}

/* Is what is left of the match at the position before good enough? Else long ones would be compared anew from each of their
 * bytes: a megabyte that old has twice took hours. */
static bool is_still_long(const struct delta_walk *w)
{
    enum { LONG_SUFFIX = 1024, LOOK_EACH = 64, LONG_PLACE = 32 };

    return w->matcher->suffixes.order != NULL ? w->match_n > LONG_SUFFIX && w->scan % LOOK_EACH != 0
                                              : w->match_n > LONG_PLACE;
}

/* Sets match_old and match_n for the position `scan`. `steps_on`: the one before was looked at just now. */
static void find_match(struct delta_walk *w, bool steps_on)
{
    const struct delta_matcher *f = w->matcher;

    if (steps_on && is_still_long(w)) {
        w->match_n--;
        w->match_old++;
        w->ranked = false;
    } else if (f->suffixes.order != NULL) {
        w->match_n = longest_of(w, &w->rank);
        w->match_old = w->match_n > 0 ? (size_t)f->suffixes.order[w->rank] : w->match_old;
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

    return (unsigned)(delta_equal(now - before, was - before, before) + delta_equal(now + n, was + n, after));
}

static void take_better(const struct delta_matcher *f, struct delta_walk *w, size_t rank, unsigned *most)
{
    size_t old_pos = (size_t)f->suffixes.order[rank];
    unsigned same = alike_around(f, w->scan, old_pos, w->match_n);
    size_t near = w->scan + w->old_from - w->new_from;

    if (same < *most || (same == *most && labs((long)(old_pos - near)) >= labs((long)(w->match_old - near))))
        return;
    *most = same;
    w->match_old = old_pos;
}

static bool is_as_long(const struct delta_matcher *f, const struct delta_walk *w, size_t rank)
{
    if (rank >= f->old_n)
        return false;
    size_t old_pos = (size_t)f->suffixes.order[rank];
    return f->old_n - old_pos >= w->match_n && memcmp(f->old + old_pos, f->new_bytes + w->scan, w->match_n) == 0;
}

/* Of matches as long, the one whose surroundings are most alike, or else the nearest. */
static void settle(const struct delta_matcher *f, struct delta_walk *w)
{
    if (!w->ranked)
        return;
    unsigned most = alike_around(f, w->scan, w->match_old, w->match_n);
    for (size_t i = 1; i <= TIES && is_as_long(f, w, w->rank - i); i++)
        take_better(f, w, w->rank - i, &most);
    for (size_t i = 1; i <= TIES && is_as_long(f, w, w->rank + i); i++)
        take_better(f, w, w->rank + i, &most);
}

static void look_on(struct delta_walk *w)
{
    w->scan += w->match_n;
    w->first = w->counted = w->scan;
    w->same = 0;
    w->looking = true;
}

/* Compare the diagonal up to the end of the match. */
static void count_same(const struct delta_matcher *f, struct delta_walk *w, long shift)
{
    size_t end = w->scan + w->match_n, from = w->counted;

    w->counted = HF_MAX(from, end);
    if ((long)from + shift < 0)
        from = (size_t)-shift;
    size_t at = (size_t)((long)from + shift);
    if (from < end && at < f->old_n)
        w->same += delta_equal(f->old + at, f->new_bytes + from, HF_MIN(end - from, f->old_n - at));
}

/* Go on until a match appears that beats simply staying on the diagonal. False where `stop` is reached before. */
static bool next_match(struct delta_walk *w, size_t stop)
{
    const struct delta_matcher *f = w->matcher;
    long shift = (long)w->old_from - (long)w->new_from;

    if (!w->looking)
        look_on(w);
    for (; w->scan < stop; w->scan++) {
        find_match(w, w->scan > w->first);
        count_same(f, w, shift);
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
static int take_match(struct delta_walk *w, bool more)
{
    const struct delta_matcher *f = w->matcher;
    size_t room = w->scan - w->new_from, forward = extend_forward(f, w->new_from, w->old_from, room), back = 0;

    if (more)
        back = extend_back(f, w->scan, w->match_old, room);
    if (w->new_from + forward > w->scan - back) {
        size_t overlap = w->new_from + forward - (w->scan - back);
        size_t keep = best_border(f, overlap, w->scan - back, w->old_from + forward - overlap, w->match_old - back);
        forward = forward - overlap + keep;
        back -= keep;
    }
    if (forward > 0 && delta_copies_add(&w->copies, (struct delta_copy){w->new_from, w->old_from, forward}) < 0)
        return -ENOMEM;
    w->new_from = w->scan - back;
    w->old_from = w->match_old - back;
    return 0;
}

void delta_walk_start(struct delta_walk *w, const struct delta_matcher *matcher, unsigned better_by, size_t at)
{
    *w = (struct delta_walk){
        .matcher = matcher, .better_by = better_by, .new_from = at, .old_from = HF_MIN(at, matcher->old_n), .scan = at};
}

int delta_walk_turn(struct delta_walk *w, size_t stop)
{
    if (!next_match(w, stop))
        return 0;
    int r = take_match(w, true);
    return r < 0 ? r : 1;
}

int delta_walk_end(struct delta_walk *w)
{
    return take_match(w, false);
}
