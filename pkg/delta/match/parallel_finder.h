/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/match/copy_finder.h"

/* Runs a pass of the copy finder in two threads, with the same copies as in one. -ECANCELED: by params->progress(). */
HF_MUST_USE int delta_parallel_finder_run(const struct delta_matcher *m, const struct delta_match_params *params,
                                          unsigned min_gain, struct delta_copies *ret_copies);
