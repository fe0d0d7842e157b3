/* delta/match/parallel_finder.h - one copy finder pass in two threads. The second thread starts at the middle of the
 * new file, without knowing the copy that the first one will arrive with. As soon as the first pass opens a copy
 * that the second opened too, both find the same copies from there on. */
#pragma once

#include "delta/match/copy_finder.h"

/* Finds the same copies as a single pass. -ENOMEM, -ECANCELED. */
HF_MUST_USE int delta_parallel_finder_run(const struct delta_matcher *m, const struct delta_match_params *params,
                                          unsigned min_gain, struct delta_copies *ret_copies);
