/* SPDX-License-Identifier: Apache-2.0 */
/* Splits the new file into copies, of constant shift, in one pass. Several threads may share a
 * matcher, not a finder. */
#pragma once

#include <stdbool.h>

#include "delta/match/match.h"

enum { DELTA_MATCH_CACHE = 8192 };

/* Passes repeat look-ups. */
struct delta_cached_match {
    uint32_t at, rank, n; /* `at`: new position + 1; 0: empty */
};

/* The current copy starts at new_from and old_from and keeps that shift. The search is at `scan`, with match_n bytes at
 * match_old. */
struct delta_copy_finder {
    const struct delta_matcher *matcher;
    struct delta_cached_match *known; /* DELTA_MATCH_CACHE, by position; or NULL */
    size_t new_from, old_from;
    size_t scan, match_old, match_n;
    size_t rank; /* suffix array's, if `ranked` */
    size_t min_gain;
    size_t first, counted;      /* of the search; compared with the diagonal up to here */
    size_t same;                /* equal to the match, on the diagonal */
    struct delta_copies copies; /* complete; caller frees */
    bool ranked, looking;       /* false from a copy's begin to the next search */
};

/* First copy: `at` in both files, or the old one's end. */
void delta_copy_finder_start(struct delta_copy_finder *w, const struct delta_matcher *matcher, unsigned min_gain,
                             size_t at);

/* 1: one complete, the next open. 0: none up to `stop`; call again. */
HF_MUST_USE int delta_copy_finder_next(struct delta_copy_finder *w, size_t stop);

HF_MUST_USE int delta_copy_finder_finish(struct delta_copy_finder *w);
