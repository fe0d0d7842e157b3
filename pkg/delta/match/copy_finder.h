/* SPDX-License-Identifier: Apache-2.0 */
/* Splits the new file into copies; within a copy the shift is constant. Threads may share a matcher, but
 * not a finder. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

struct delta_cached_match {
    uint32_t at, rank, n;
};

struct delta_copy_finder {
    const struct delta_matcher *matcher;
    struct delta_cached_match *known;
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank;
    size_t min_gain;
    size_t first, counted;
    size_t same;
    struct delta_copies copies; /* complete ones; the caller frees them */
    bool ranked, looking;
};

/* Starts with a copy at `at` in both files, or at the end of a shorter old file. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* Searches up to `stop`. 1: a copy is complete, and the next one has begun. 0: none; call again. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
