/* delta/match/copy_finder.h - one pass over the new file that splits it into copies: it follows the diagonal of the
 * current copy (equal shift between old and new) until a match elsewhere is longer by min_gain bytes.
 *
 * Threads: one finder belongs to one thread; several may share a matcher. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

/* A cached longest match: several passes ask about the same position. */
struct delta_cached_match {
    uint32_t at, rank, n; /* at: position + 1; 0: empty */
};

/* The current copy starts at (new_from, old_from); `scan` is the position of the search. */
struct delta_copy_finder {
    const struct delta_matcher *matcher;
    /* DELTA_MATCH_CACHE entries, indexed by position modulo that number; NULL: no cache */
    struct delta_cached_match *known;
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* index of the match in the suffix array */
    size_t min_gain;
    size_t first, counted;      /* start of the search; end of the part of the diagonal that is compared already */
    size_t same;                /* number of equal bytes on the diagonal within the match */
    struct delta_copies copies; /* the copies completed so far; the caller frees them */
    bool ranked, looking;
};

/* Starts at `at` in the new file as if a copy from the start of the old file preceded it. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* Searches for the next better match. Returns 1 after completing the current copy and opening the next one, 0 if
 * there is none before `stop`, from where a later call continues. -ENOMEM. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

/* Completes the last copy, at the end of the new file. -ENOMEM. */
HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
