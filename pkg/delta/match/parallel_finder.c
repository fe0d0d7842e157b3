/* SPDX-License-Identifier: Apache-2.0 */
/* The second thread starts at the middle of the new file, before the first thread has found the copy that reaches
 * the middle. When the first thread opens a copy that the second thread also opened, both would find the same later
 * copies: so the first stops there, and the result takes the later copies from the second. */
#include "delta/match/parallel_finder.h"

#include <errno.h>
#include <stdatomic.h>

#include "delta/io/jobs.h"

struct two_finders {
    const struct delta_match_params *params;
    struct delta_copy_finder first, second;
    struct delta_copies opened; /* opened by the second finder, each as long as known then */
    size_t next;                /* position in `known` from which to search on */
    atomic_bool canceled;
};

/* Only the caller's thread, worker 0, reports. */
static int report(struct two_finders *h, unsigned worker, size_t done, size_t total)
{
    const struct delta_match_params *params = h->params;

    if (worker == 0 && params->progress != NULL && params->progress(params->progress_ctx, done, total) != 0)
        h->canceled = true;
    return h->canceled ? -ECANCELED : 0;
}

static struct delta_copy open_copy(const struct delta_copy_finder *f)
{
    return (struct delta_copy){f->new_from, f->old_from, f->scan + f->match_n - f->new_from};
}

static int note(struct two_finders *h)
{
    return delta_copies_add(&h->opened, open_copy(&h->second));
}

/* Returns 1 if the first finder's current copy is one that the second opened too, and appends all copies that the
 * second completed since. */
static int meet(struct two_finders *h)
{
    const struct delta_copies *known = &h->opened, *closed = &h->second.copies;
    struct delta_copy now = open_copy(&h->first);
    uint64_t end = now.new_pos + now.len;
    int r = 0;

    while (h->next < known->n && known->p[h->next].new_pos + known->p[h->next].len < end)
        h->next++;
    if (h->next == known->n)
        return 0;
    const struct delta_copy *other = &known->p[h->next];
    if (other->new_pos != now.new_pos || other->old_pos != now.old_pos || other->len != now.len)
        return 0;
    for (size_t i = 0; r == 0 && i < closed->n; i++)
        if (closed->p[i].new_pos >= now.new_pos)
            r = delta_copies_add(&h->first.copies, closed->p[i]);
    return r < 0 ? r : 1;
}

/* Advances a finder to `end`. Calls `turned` (may be NULL) for each new copy; 1 ends it. */
static int walk(struct two_finders *h, struct delta_copy_finder *f, unsigned worker, size_t end,
                int (*turned)(struct two_finders *h))
{
    enum { STRETCH = 1 << 16 };
    size_t start = HF_MIN(f->scan, end), stop = start;
    int r = 0;

    while (r == 0 && stop < end) {
        stop = end - stop > STRETCH ? stop + STRETCH : end;
        while (r == 0 && (r = delta_copy_finder_next(f, stop)) > 0)
            r = turned != NULL ? turned(h) : 0;
        if (r == 0)
            r = report(h, worker, stop - start, end - start);
    }
    return r == 0 && stop == f->matcher->new_n ? delta_copy_finder_finish(f) : r;
}

static int walk_half(void *ctx, unsigned worker, unsigned i, HF_UNUSED struct hf_err *err)
{
    struct two_finders *h = ctx;
    struct delta_copy_finder *f = i == 0 ? &h->first : &h->second;

    return i == 0 ? walk(h, f, worker, h->second.matcher->new_n / 2, NULL)
                  : walk(h, f, worker, f->matcher->new_n, note);
}

int delta_parallel_finder_run(const struct delta_matcher *m, const struct delta_match_params *params, unsigned min_gain,
                              struct delta_copies *ret_copies)
{
    struct two_finders h = {.params = params};
    const struct delta_jobs halves = {2, &h, walk_half};

    delta_copy_finder_start(&h.first, m, min_gain, 0);
    delta_copy_finder_start(&h.second, m, min_gain, m->new_n / 2);
    int r = delta_jobs_run(&halves, params->workers, NULL);
    if (r == 0)
        r = walk(&h, &h.first, 0, m->new_n, meet);
    if (r >= 0)
        r = report(&h, 0, m->new_n, m->new_n); /* the caller's thread may have had no job */
    delta_copies_done(&h.opened);
    delta_copies_done(&h.second.copies);
    if (r == 0)
        *ret_copies = h.first.copies;
    else
        delta_copies_done(&h.first.copies);
    return r;
}
