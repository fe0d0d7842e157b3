/* SPDX-License-Identifier: Apache-2.0 */
/* At each position of the new file, the pass finds the longest match with the old file. Then it counts how many
 * bytes of this match would be right if the current copy continued with its own shift. The next copy starts with the
 * first match that is more than min_gain bytes longer than this count. */
#include "delta/match/copy_finder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/match/extend.h"

/* Returns the border between two neighbouring copies, whose extensions overlap in the new file, that leaves most
 * bytes equal. */
static size_t best_border(const struct delta_matcher *m, size_t overlap, size_t new_start, size_t old_a, size_t old_b)
{
    size_t best = 0;
    long score = 0, best_score = 0;

    for (size_t i = 0; i < overlap; i++) {
        unsigned char byte = m->new_bytes[new_start + i];
        score += (old_a + i < m->old_n && m->old[old_a + i] == byte) - (m->old[old_b + i] == byte);
        if (score > best_score) {
            best_score = score;
            best = i + 1;
        }
    }
    return best;
}

static size_t extend_forward(const struct delta_matcher *m, size_t new_pos, size_t old_pos, size_t limit)
{
    return delta_extend_forward(m->old + old_pos, m->new_bytes + new_pos, HF_MIN(limit, m->old_n - old_pos));
}

static size_t extend_back(const struct delta_matcher *m, size_t new_pos, size_t old_pos, size_t limit)
{
    return delta_extend_back(m->old + old_pos, m->new_bytes + new_pos, HF_MIN(limit, old_pos));
}

enum { TIES = 32, AROUND = 32 };

static size_t longest_of(const struct delta_copy_finder *f, size_t *ret_rank)
{
    const struct delta_matcher *m = f->matcher;
    const unsigned char *key = m->new_bytes + f->scan;
    struct delta_cached_match *known = f->known != NULL ? &f->known[f->scan % DELTA_MATCH_CACHE] : NULL;

    if (known == NULL)
        return delta_suffix_array_longest(&m->suffix_array, key, m->new_n - f->scan, ret_rank);
    if (known->at != f->scan + 1) {
        size_t rank = 0, n = delta_suffix_array_longest(&m->suffix_array, key, m->new_n - f->scan, &rank);
        *known = (struct delta_cached_match){(uint32_t)f->scan + 1, (uint32_t)rank, (uint32_t)n};
    }
    *ret_rank = known->rank;
    return known->n;
}

/* True if the remainder of the match at the position before is long enough to keep. Comparing a long match anew from
 * each of its bytes takes quadratic time: hours for a megabyte that the old file has twice. */
static bool is_still_long(const struct delta_copy_finder *f)
{
    enum { LONG_SUFFIX = 1024, LOOK_EACH = 64, LONG_PLACE = 32 };

    return f->matcher->suffix_array.order != NULL ? f->match_n > LONG_SUFFIX && f->scan % LOOK_EACH != 0
                                                  : f->match_n > LONG_PLACE;
}

/* Sets match_old and match_n for the position `scan`. `steps_on`: the position before was searched just now. */
static void find_match(struct delta_copy_finder *f, bool steps_on)
{
    const struct delta_matcher *m = f->matcher;

    if (steps_on && is_still_long(f)) {
        f->match_n--;
        f->match_old++;
        f->ranked = false;
    } else if (m->suffix_array.order != NULL) {
        f->match_n = longest_of(f, &f->rank);
        f->match_old = f->match_n > 0 ? (size_t)m->suffix_array.order[f->rank] : f->match_old;
        f->ranked = f->match_n > 0;
    } else {
        f->match_n = delta_hash_index_longest(&m->hash_index, m->old, m->old_n, m->new_bytes + f->scan,
                                              m->new_n - f->scan, f->scan + f->old_from - f->new_from, &f->match_old);
    }
}

/* Counts the equal bytes around a match. */
static unsigned equal_around(const struct delta_matcher *m, size_t new_pos, size_t old_pos, size_t n)
{
    size_t before = HF_MIN(HF_MIN(new_pos, old_pos), (size_t)AROUND);
    size_t after = HF_MIN(HF_MIN(m->new_n - new_pos, m->old_n - old_pos) - n, (size_t)AROUND);
    const unsigned char *now = m->new_bytes + new_pos, *was = m->old + old_pos;

    return (unsigned)(delta_count_equal(now - before, was - before, before) +
                      delta_count_equal(now + n, was + n, after));
}

static void prefer_closer_context(const struct delta_matcher *m, struct delta_copy_finder *f, size_t rank,
                                  unsigned *most)
{
    size_t old_pos = (size_t)m->suffix_array.order[rank];
    unsigned same = equal_around(m, f->scan, old_pos, f->match_n);
    size_t near = f->scan + f->old_from - f->new_from;

    if (same < *most || (same == *most && labs((long)(old_pos - near)) >= labs((long)(f->match_old - near))))
        return;
    *most = same;
    f->match_old = old_pos;
}

static bool is_as_long(const struct delta_matcher *m, const struct delta_copy_finder *f, size_t rank)
{
    if (rank >= m->old_n)
        return false;
    size_t old_pos = (size_t)m->suffix_array.order[rank];
    return m->old_n - old_pos >= f->match_n && memcmp(m->old + old_pos, m->new_bytes + f->scan, f->match_n) == 0;
}

/* Chooses among equally long matches the one with the most equal bytes around it, on a tie the nearest. */
static void resolve_ties(const struct delta_matcher *m, struct delta_copy_finder *f)
{
    if (!f->ranked)
        return;
    unsigned most = equal_around(m, f->scan, f->match_old, f->match_n);
    for (size_t i = 1; i <= TIES && is_as_long(m, f, f->rank - i); i++)
        prefer_closer_context(m, f, f->rank - i, &most);
    for (size_t i = 1; i <= TIES && is_as_long(m, f, f->rank + i); i++)
        prefer_closer_context(m, f, f->rank + i, &most);
}

static void skip_match(struct delta_copy_finder *f)
{
    f->scan += f->match_n;
    f->first = f->counted = f->scan;
    f->same = 0;
    f->looking = true;
}

/* Compares the diagonal up to the end of the match. */
static void count_same(const struct delta_matcher *m, struct delta_copy_finder *f, long shift)
{
    size_t end = f->scan + f->match_n, from = f->counted;

    f->counted = HF_MAX(from, end);
    if ((long)from + shift < 0)
        from = (size_t)-shift;
    size_t at = (size_t)((long)from + shift);
    if (from < end && at < m->old_n)
        f->same += delta_count_equal(m->old + at, m->new_bytes + from, HF_MIN(end - from, m->old_n - at));
}

/* Searches for a match that is longer than the diagonal's by min_gain. False if it reaches `stop` first. */
static bool next_match(struct delta_copy_finder *f, size_t stop)
{
    const struct delta_matcher *m = f->matcher;
    long shift = (long)f->old_from - (long)f->new_from;

    if (!f->looking)
        skip_match(f);
    for (; f->scan < stop; f->scan++) {
        find_match(f, f->scan > f->first);
        count_same(m, f, shift);
        if (f->match_n == f->same && f->same != 0) { /* as good as the diagonal: stay on it */
            skip_match(f);
            f->scan--;
            continue;
        }
        if (f->match_n > f->same + f->min_gain) {
            f->looking = false;
            resolve_ties(m, f);
            return true;
        }
        long at = (long)f->scan + shift;
        f->same -= at >= 0 && (size_t)at < m->old_n && m->old[at] == m->new_bytes[f->scan];
    }
    return false;
}

/* Adds copies of what is equal again on the diagonal between `from` and `to`. A match there opens no copy, and the
 * current copy does not reach over more differing bytes than it has equal ones. Finds each run of 2 * PROBE equal
 * bytes, and compares at most REACH bytes behind one, so that many runs do not take quadratic time. */
static int add_runs(struct delta_copy_finder *f, size_t from, size_t to)
{
    enum { PROBE = 128, REACH = 1 << 14 };
    const struct delta_matcher *m = f->matcher;
    size_t shift = f->old_from - f->new_from; /* modulo 2^n, as the sum is */

    to = HF_MIN(to, m->old_n - shift);
    for (size_t at = from; at + PROBE <= to; at += PROBE) {
        if (memcmp(m->old + at + shift, m->new_bytes + at, PROBE) != 0)
            continue;
        size_t back = extend_back(m, at, at + shift, at - from);
        size_t n = delta_common_prefix(m->old + at + shift, to - at, m->new_bytes + at, to - at), end = at + n;
        n += extend_forward(m, end, end + shift, HF_MIN(to - end, (size_t)REACH));
        if (delta_copies_add(&f->copies, (struct delta_copy){at - back, at - back + shift, back + n}) < 0)
            return -ENOMEM;
        from = at + n;
        at = from - PROBE;
    }
    return 0;
}

/* Completes the current copy. It and the new match, if there is one, extend towards each other. */
static int complete_copy(struct delta_copy_finder *f, bool more)
{
    const struct delta_matcher *m = f->matcher;
    size_t room = f->scan - f->new_from, forward = extend_forward(m, f->new_from, f->old_from, room), back = 0;

    if (more)
        back = extend_back(m, f->scan, f->match_old, room);
    if (f->new_from + forward > f->scan - back) {
        size_t overlap = f->new_from + forward - (f->scan - back);
        size_t keep = best_border(m, overlap, f->scan - back, f->old_from + forward - overlap, f->match_old - back);
        forward = forward - overlap + keep;
        back -= keep;
    }
    if (forward > 0 && delta_copies_add(&f->copies, (struct delta_copy){f->new_from, f->old_from, forward}) < 0)
        return -ENOMEM;
    if (add_runs(f, f->new_from + forward, f->scan - back) < 0)
        return -ENOMEM;
    f->new_from = f->scan - back;
    f->old_from = f->match_old - back;
    return 0;
}

void delta_copy_finder_start(struct delta_copy_finder *f, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at)
{
    *f = (struct delta_copy_finder){
        .matcher = matcher, .min_gain = min_gain, .new_from = at, .old_from = HF_MIN(at, matcher->old_n), .scan = at};
}

int delta_copy_finder_next(struct delta_copy_finder *f, size_t stop)
{
    if (!next_match(f, stop))
        return 0;
    int r = complete_copy(f, true);
    return r < 0 ? r : 1;
}

int delta_copy_finder_finish(struct delta_copy_finder *f)
{
    return complete_copy(f, false);
}
