/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/copy_finder.h - split the new file into copies in one pass.
 *
 * A copy has a constant shift between its positions in the old file and in the new file. At each position of the new
 * file, the pass finds the longest match with the old file. Then it counts how many bytes of this match would be right
 * if the current copy continued with its own shift. The next copy starts with the first match that is more than
 * min_gain bytes longer than this count.
 *
 * Threads: a finder belongs to one thread; several finders may share a matcher. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

/* The longest match at one position, in a cache. The cache helps because several passes look up the same position. */
struct delta_cached_match {
    uint32_t at, rank, n; /* `at` is the position in the new file + 1 (0 means an empty entry) */
};

/* The current copy starts at new_from in the new file and at old_from in the old file. The diagonal consists of the old
 * bytes that this copy would use if it continued. `scan` is the position of the search in the new file. The match at
 * `scan` has match_n bytes and starts at match_old in the old file. */
struct delta_copy_finder {
    const struct delta_matcher *matcher;
    /* cache of DELTA_MATCH_CACHE entries, indexed by position modulo DELTA_MATCH_CACHE (NULL means no cache) */
    struct delta_cached_match *known;
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* index of the match in the suffix array, valid if `ranked` */
    size_t min_gain;
    /* `first` is the start of the search; `counted` is the end of the part of the new file that the finder has compared
     * with the diagonal */
    size_t first, counted;
    size_t same;                /* number of equal bytes on the diagonal within the match */
    struct delta_copies copies; /* the copies completed so far; the caller frees them */
    /* `looking` is false after a copy was opened, until the search for the next copy starts */
    bool ranked, looking;
};

/* Starts a pass at offset `at` of the new file. The first copy begins at this offset in both files. If the old file is
 * shorter, the first copy begins at the end of the old file. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* Searches up to `stop` for a match that starts the next copy. If there is one, completes the current copy, opens the
 * next copy and returns 1. If there is none, returns 0, and the next call continues at `stop`. Errors: -ENOMEM. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

/* Completes the last copy, at the end of the new file. Errors: -ENOMEM. */
HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
