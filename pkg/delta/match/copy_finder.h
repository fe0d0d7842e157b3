/* delta/match/copy_finder.h - one way through new: on the diagonal of the present copy until a match is found that is better by so much, and then
 * on with that. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

/* The longest match at a place, which several ways want to know. */
struct delta_cached_match {
    uint32_t at, rank, n; /* at: plus one, 0 none */
};

/* Where it is: the copy that is open starts at (new_from, old_from); scan is ahead of it. */
struct delta_copy_finder {
    const struct delta_matcher *matcher;
    struct delta_cached_match *known; /* of DELTA_MATCH_CACHE places, by their remainder; NULL: it is alone */
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* of the match among the suffixes */
    size_t min_gain;
    size_t first, counted;      /* while looking: where it began, up to where the diagonal was compared, */
    size_t same;                /* and how much of the match that has */
    struct delta_copies copies; /* those closed; the caller's */
    bool ranked, looking;
};

/* At a place of new, as if what is before were a copy of the beginning of old. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* On to the next match that is better: closes the copy that is open and opens the next; 1. 0: there is none before `stop`, a place
 * in new; from there it can go on. -ENOMEM. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

/* At the end of new: close the last copy. -ENOMEM. */
HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
