#include "delta/match.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

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

/* Longest match of new[at..] in old by binary search; how far both ends of the interval already agree is not looked at
 * again. */
static size_t longest(const struct delta_matcher *f, size_t at, size_t *ret_old)
{
    const unsigned char *key = f->new_bytes + at;
    size_t key_n = f->new_n - at, low = 0, high = f->old_n, low_lcp = 0, high_lcp = 0, best = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2, suffix = (size_t)f->suffixes[middle];
        size_t n = HF_MIN(low_lcp, high_lcp);
        n += delta_common(f->old + suffix + n, f->old_n - suffix - n, key + n, key_n - n);
        if (n > best) {
            best = n;
            *ret_old = suffix;
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
    size_t better_by;
};

/* Is what is left of the match at the position before good enough? Else long ones would be compared anew from each of their bytes: a
 * megabyte that old has twice took hours. */
static bool is_still_long(const struct delta_matcher *f, const struct walk *w)
{
    enum { LONG_SUFFIX = 1024, LOOK_EACH = 64, LONG_PLACE = 32 };

    return f->suffixes != NULL ? w->match_n > LONG_SUFFIX && w->scan % LOOK_EACH != 0 : w->match_n > LONG_PLACE;
}

/* Sets match_old and match_n for the position `scan`. `steps_on`: the one before was looked at just now. */
static void find_match(const struct delta_matcher *f, struct walk *w, bool steps_on)
{
    if (steps_on && is_still_long(f, w)) {
        w->match_n--;
        w->match_old++;
    } else if (f->suffixes != NULL) {
        w->match_n = longest(f, w->scan, &w->match_old);
    } else {
        w->match_n = delta_places_longest(&f->places, f->old, f->old_n, f->new_bytes + w->scan, f->new_n - w->scan,
                                          w->scan + w->old_from - w->new_from, &w->match_old);
    }
}

/* Go on until a match appears that beats simply staying on the diagonal. False at the end of new. */
static bool next_match(const struct delta_matcher *f, struct walk *w)
{
    long shift = (long)w->old_from - (long)w->new_from;

    do {
        size_t same = 0;
        w->scan += w->match_n;
        for (size_t counted = w->scan, first = w->scan; w->scan < f->new_n; w->scan++) {
            find_match(f, w, w->scan > first);
            for (; counted < w->scan + w->match_n; counted++) {
                long at = (long)counted + shift;
                same += at >= 0 && (size_t)at < f->old_n && f->old[at] == f->new_bytes[counted];
            }
            if ((w->match_n == same && same != 0) || w->match_n > same + w->better_by)
                break;
            long at = (long)w->scan + shift;
            same -= at >= 0 && (size_t)at < f->old_n && f->old[at] == f->new_bytes[w->scan];
        }
        if (w->scan >= f->new_n)
            return false;
        if (w->match_n != same)
            return true;
    } while (true); /* as good as the diagonal: stay on it */
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

int delta_match(const struct delta_matcher *f, unsigned better_by,
                int (*progress)(void *ctx, uint64_t done, uint64_t total), void *progress_ctx,
                struct delta_copies *ret_copies, struct hf_err *err)
{
    struct walk w = {.better_by = better_by};
    struct delta_copies copies = {0};
    bool more = f->old_n > 0;

    for (size_t told = 0; more;) {
        more = next_match(f, &w);
        if (take_match(f, &w, more, &copies) < 0) {
            delta_copies_done(&copies);
            return hf_err_set(err, ENOMEM, "out of memory");
        }
        if (progress != NULL && w.scan - told >= (1 << 16)) {
            told = w.scan;
            if (progress(progress_ctx, w.scan, f->new_n) != 0) {
                delta_copies_done(&copies);
                return hf_err_set(err, ECANCELED, "canceled while matching");
            }
        }
    }
    *ret_copies = copies;
    return 0;
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
