/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/parallel_finder.h - one pass of the copy finder (copy_finder.h) in two threads. The second thread starts
 * at the middle of the new file, before the first thread has found the copy that reaches the middle. When the first
 * thread opens a copy that the second thread also opened, both threads would find the same later copies. So the first
 * thread stops there, and the result takes the later copies from the second thread. */
#pragma once

#include "delta/match/copy_finder.h"

/* Runs one pass in two threads, and finds the same copies as a pass in one thread. Errors: -ENOMEM, -ECANCELED. */
HF_MUST_USE int delta_parallel_finder_run(const struct delta_matcher *m, const struct delta_match_params *params,
                                          unsigned min_gain, struct delta_copies *ret_copies);
