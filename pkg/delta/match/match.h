/* SPDX-License-Identifier: Apache-2.0 */
/* delta/match/match.h - find the copies that turn the old file into the new one. Copies tolerate differing bytes.
 *
 * The method, suffix array matching with forward and backward extension, is that of Colin Percival, "Naive
 * differences of executable code" (2003). Deterministic.
 *
 * The functions block: call them only on worker threads or in command-line programs. Memory: at most 4 bytes for each
 * byte of the old file, some hundred KiB, and the copies. */
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
    struct delta_suffix_array suffix_array; /* at most one of suffix_array and hash_index is open */
    struct delta_hash_index hash_index;
};

/* Opens the suffix array, or the hash index if `fast` is true; the hash index finds somewhat fewer matches. Both
 * files must be smaller than HF_DELTA_CREATE_MAX_BYTES and outlive the matcher. After this call the matcher is
 * read-only. Errors: -ENOMEM. */
HF_MUST_USE int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n,
                                   const unsigned char *new_bytes, size_t new_n, bool fast, struct hf_err *err);
/* Frees the index, not the files. */
void delta_matcher_done(struct delta_matcher *m);

/* A variant is one way to split the new file into copies. Variants differ in their min_gain. */
enum { DELTA_VARIANTS_MAX = 4 };

struct delta_match_params {
    /* min_gain (copy_finder.h) of each variant: a match ends the current copy if the match gains more than this number
     * of bytes */
    const unsigned *min_gain;
    unsigned variants_n;
    unsigned workers; /* number of threads; does not change the result */
    /* delta_match() calls progress() in the caller's thread; a non-zero result cancels; may be NULL */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
};

/* Finds the copies of each variant, ascending and without overlaps in the new file. Variants share the results of
 * suffix array lookups. ret_copies[i] points to the list for variant i. The caller zeroes all lists before the call and
 * frees them afterwards, also after an error. Errors: -ENOMEM, -ECANCELED. */
HF_MUST_USE int delta_match(const struct delta_matcher *m, const struct delta_match_params *params,
                            struct delta_copies *const *ret_copies, struct hf_err *err);
