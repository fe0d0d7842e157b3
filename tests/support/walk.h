/* SPDX-License-Identifier: Apache-2.0 */
/* support/walk.h - which places of a walk a test goes to.
 *
 * A walk does one thing at every place: a power cut at the 1st call of an update, at its 2nd, and so on; or a world for each
 * seed. `make soak` goes to all places (HF_WALK_SEED=all). Elsewhere one of every HF_WALK_STEP in a row is drawn, by HF_WALK_SEED
 * (0): hack/run-tests takes it from the commit, so that each commit goes elsewhere, and prints it.
 *
 *     for (uint64_t n = hf_walk_next("cuts", 0); cut_at(n); n = hf_walk_next("cuts", n))
 *
 * `walk` names the walk: two of different names go to different places. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

enum { HF_WALK_STEP = 8 };

bool hf_walk_is_whole(void);

/* The first place after `n` that the test goes to: at most 2 * HF_WALK_STEP - 1 further on. 0 is before the first place. */
uint64_t hf_walk_next(const char *walk, uint64_t n);

/* As tcase_add_loop_test(tc, test, 0, n), for the places 0 to n - 1 that are drawn. */
#define hf_walk_add_loop_test(tc, test, n)                                                                             \
    do {                                                                                                               \
        for (uint64_t at_ = hf_walk_next(#test, 0); at_ <= (uint64_t)(n); at_ = hf_walk_next(#test, at_))              \
            tcase_add_loop_test((tc), (test), (int)at_ - 1, (int)at_);                                                 \
    } while (0)
