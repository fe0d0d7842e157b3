/* SPDX-License-Identifier: Apache-2.0 */
/* Finds copies that tolerate differing bytes, by matching with forward and backward extension (Colin
 * Percival, "Naive differences of executable code", 2003). Deterministic. Blocks: workers only. */
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
    struct delta_suffix_array suffix_array; /* at most one of these two is open */
    struct delta_hash_index hash_index;
};

/* `fast`: uses the hash index, which finds somewhat less. Files are below HF_DELTA_CREATE_MAX_BYTES, and outlive the
 * matcher, which is read-only once open. */
HF_MUST_USE int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n,
                                   const unsigned char *new_bytes, size_t new_n, bool fast, struct hf_err *err);
void delta_matcher_done(struct delta_matcher *m);

/* A variant is a way to split the new file. Its min_gain: how much longer a match must be to end the current copy. */
enum { DELTA_VARIANTS_MAX = 4 };

struct delta_match_params {
    const unsigned *min_gain;
    unsigned variants_n;
    unsigned workers;
    int (*progress)(void *ctx, uint64_t done, uint64_t total); /* in the caller's thread; not 0: cancel; or NULL */
    void *progress_ctx;
};

/* Finds the copies of each variant, ascending and without overlaps in the new file. Lists are zero at first; free them
 * also after an error. -ECANCELED: by progress(). */
HF_MUST_USE int delta_match(const struct delta_matcher *m, const struct delta_match_params *params,
                            struct delta_copies *const *ret_copies, struct hf_err *err);
