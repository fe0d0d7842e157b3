/* SPDX-License-Identifier: Apache-2.0 */
/* Find copies, which tolerate differing bytes: suffix array matching with forward and backward extension (Colin
 * Percival, "Naive differences of executable code", 2003). Deterministic. Blocks: workers only. At most 4 bytes for
 * each old byte, and the copies. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "delta/match/copies.h"
#include "delta/match/hash_index.h"
#include "delta/match/suffix_array.h"

struct delta_matcher {
    const unsigned char *old, *new_bytes;
    size_t old_n, new_n;
    struct delta_suffix_array suffix_array; /* at most one is open */
    struct delta_hash_index hash_index;
};

/* `fast`: the hash index, which finds somewhat less. Both files are smaller than HF_DELTA_CREATE_MAX_BYTES and outlive
 * the matcher, which is then read-only. */
HF_MUST_USE int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n,
                                   const unsigned char *new_bytes, size_t new_n, bool fast, struct hf_err *err);
void delta_matcher_done(struct delta_matcher *m);

/* Ways to split the new file, by min_gain. */
enum { DELTA_VARIANTS_MAX = 4 };

struct delta_match_params {
    const unsigned *min_gain; /* copy_finder.h, for each variant */
    unsigned variants_n;
    unsigned workers;                                          /* do not change the result */
    int (*progress)(void *ctx, uint64_t done, uint64_t total); /* in the caller's thread; not 0 cancels; may be NULL */
    void *progress_ctx;
};

/* Ascending, without overlaps in the new file. The caller zeroes all lists and frees them also after an error.
 * -ECANCELED. */
HF_MUST_USE int delta_match(const struct delta_matcher *m, const struct delta_match_params *params,
                            struct delta_copies *const *ret_copies, struct hf_err *err);
