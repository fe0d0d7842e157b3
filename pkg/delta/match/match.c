/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/match.h"

#include <errno.h>
#include <stdlib.h>

#include "delta/match/copy_finder.h"
#include "delta/match/parallel_finder.h"

/* Advances one finder to `stop`, a position in the new file. */
static int walk_to(struct delta_copy_finder *f, size_t stop)
{
    int r;

    while ((r = delta_copy_finder_next(f, stop)) > 0)
        ;
    return r == 0 && stop == f->matcher->new_n ? delta_copy_finder_finish(f) : r;
}

/* Advances the finders in turn by short stretches, so that each finds the matches of the others in the cache. */
static int walk_side_by_side(struct delta_copy_finder *finders, size_t new_n, const struct delta_match_params *params)
{
    enum { STRETCH = DELTA_MATCH_CACHE / 2, STRETCHES_TOLD = 16 };
    int r = 0;

    for (size_t stop = 0; r == 0 && stop < new_n;) {
        stop = new_n - stop > STRETCH ? stop + STRETCH : new_n;
        for (unsigned i = 0; r == 0 && i < params->variants_n; i++)
            r = walk_to(&finders[i], stop);
        if (r == 0 && params->progress != NULL && stop % ((size_t)STRETCHES_TOLD * STRETCH) == 0 &&
            params->progress(params->progress_ctx, stop, new_n) != 0)
            r = -ECANCELED;
    }
    return r;
}

static int walk_together(const struct delta_matcher *m, const struct delta_match_params *params,
                         struct delta_copies *const *ret_copies)
{
    struct delta_copy_finder finders[DELTA_VARIANTS_MAX];
    struct delta_cached_match *known =
        params->variants_n > 1 && m->suffix_array.order != NULL ? calloc(DELTA_MATCH_CACHE, sizeof(*known)) : NULL;

    for (unsigned i = 0; i < params->variants_n; i++) {
        delta_copy_finder_start(&finders[i], m, params->min_gain[i], 0);
        finders[i].known = known;
    }
    int r = walk_side_by_side(finders, m->new_n, params);
    free(known);
    for (unsigned i = 0; i < params->variants_n; i++) {
        if (r == 0)
            *ret_copies[i] = finders[i].copies;
        else
            delta_copies_done(&finders[i].copies);
    }
    return r;
}

static int walk_by_halves(const struct delta_matcher *m, const struct delta_match_params *params,
                          struct delta_copies *const *ret_copies)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < params->variants_n; i++)
        r = delta_parallel_finder_run(m, params, params->min_gain[i], ret_copies[i]);
    return r;
}

int delta_match(const struct delta_matcher *m, const struct delta_match_params *params,
                struct delta_copies *const *ret_copies, struct hf_err *err)
{
    enum { WORTH_A_THREAD = 1 << 18 };
    bool halves = params->workers > 1 && m->suffix_array.order == NULL && m->new_n >= WORTH_A_THREAD;
    int r = 0;

    if (m->old_n > 0 && m->new_n > 0)
        r = halves ? walk_by_halves(m, params, ret_copies) : walk_together(m, params, ret_copies);
    return r == -ECANCELED ? hf_err_set(err, ECANCELED, "canceled while matching")
           : r < 0         ? hf_err_set(err, ENOMEM, "out of memory")
                           : 0;
}

int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                       size_t new_n, bool fast, struct hf_err *err)
{
    *m = (struct delta_matcher){.old = old, .new_bytes = new_bytes, .old_n = new_n > 0 ? old_n : 0, .new_n = new_n};
    if (m->old_n == 0 || (fast ? delta_hash_index_open(&m->hash_index, old, old_n)
                               : delta_suffix_array_open(&m->suffix_array, old, old_n)) == 0)
        return 0;
    return hf_err_set(err, ENOMEM, "not enough memory for the index of the old file");
}

void delta_matcher_done(struct delta_matcher *m)
{
    delta_suffix_array_done(&m->suffix_array);
    delta_hash_index_done(&m->hash_index);
}
