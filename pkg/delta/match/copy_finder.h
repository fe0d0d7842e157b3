/* SPDX-License-Identifier: Apache-2.0 */
/* Split the new file into copies in one pass. A copy has a constant shift. Threads: one; finders may share a
 * matcher. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

/* Several passes look up the same positions. */
struct delta_cached_match {
    uint32_t at, rank, n; /* `at`: new position + 1; 0: empty */
};

/* The current copy starts at new_from and old_from; its continuation in the old file is the diagonal. The search is at
 * `scan`, with a match of match_n bytes at match_old. */
struct delta_copy_finder {
    const struct delta_matcher *matcher;
    struct delta_cached_match *known; /* DELTA_MATCH_CACHE entries by position, or NULL */
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* in the suffix array, if `ranked` */
    size_t min_gain;
    size_t first, counted;      /* start of the search; end of what was compared with the diagonal */
    size_t same;                /* equal bytes on the diagonal in the match */
    struct delta_copies copies; /* complete ones; the caller frees them */
    bool ranked, looking;       /* false from opening a copy to the search for the next */
};

/* The first copy begins at `at` in both files, or at the old file's end. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* 1: completed a copy and opened the next. 0: none up to `stop`, continue there. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
