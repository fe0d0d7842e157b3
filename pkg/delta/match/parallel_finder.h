/* delta/match/parallel_finder.h - one way through new by two threads: the second half is walked at the same time, from a guess. As soon as the
 * first way, which goes on, opens a copy that the second opened as well, all that follows is the same. */
#pragma once

#include "delta/match/copy_finder.h"

/* As the one way alone finds them, whatever was guessed. -ENOMEM, -ECANCELED. */
HF_MUST_USE int delta_parallel_finder_run(const struct delta_matcher *m, const struct delta_match_params *params,
                                          unsigned min_gain, struct delta_copies *ret_copies);
