/* delta/match/match.h - find what new has in common with old: copies, in the order of new, that tolerate differing bytes.
 *
 * Matching by suffix array and forward/backward extension follows the idea of Colin Percival's "Naive differences of
 * executable code" (2003). Deterministic. Worker threads only; memory 4 x old + 256 KiB + what is found. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "delta/match/hash_index.h"
#include "delta/match/suffix_array.h"

/* new[new_pos..new_pos+len) looks like old[old_pos..); not all bytes need be equal. */
struct delta_copy {
    uint64_t new_pos, old_pos, len;
};

struct delta_copies {
    struct delta_copy *p;
    size_t n, cap;
};

void delta_copies_done(struct delta_copies *copies);
HF_MUST_USE int delta_copies_add(struct delta_copies *copies, struct delta_copy copy);

struct delta_matcher {
    const unsigned char *old, *new_bytes;
    size_t old_n, new_n;
    struct delta_suffix_array suffix_array; /* one of the two is open */
    struct delta_hash_index hash_index;
};

/* By sorted suffixes; `fast`: by places, less well. Both files are below HF_DELTA_CREATE_MAX_BYTES and must live as long as the
 * matcher, which is then only read. -ENOMEM. */
HF_MUST_USE int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n,
                                   const unsigned char *new_bytes, size_t new_n, bool fast, struct hf_err *err);
/* Of the files nothing is forgotten but how to match them. */
void delta_matcher_done(struct delta_matcher *m);

enum { DELTA_VARIANTS_MAX = 4 };

struct delta_match_params {
    const unsigned
        *min_gain; /* for each way: how many bytes more than the present copy a match must have to be worth a jump */
    unsigned variants_n;
    unsigned workers; /* threads; their number changes nothing */
    int (*progress)(void *ctx, uint64_t done,
                    uint64_t total); /* may be NULL; called in the caller's thread, not 0 cancels */
    void *progress_ctx;
};

/* Copies do not overlap in new and ascend. By suffixes, what is found for one way is not looked for again for the others. What was
 * returned is the caller's, also after an error: -ENOMEM, -ECANCELED. */
HF_MUST_USE int delta_match(const struct delta_matcher *m, const struct delta_match_params *params,
                            struct delta_copies *const *ret_copies, struct hf_err *err);

/* The next copy that reaches into [at, end), cut to it; *next is where to look on (0 at first). False: there is none. */
bool delta_copies_next_inline(const struct delta_copies *copies, size_t *next, uint64_t at, uint64_t end,
                              struct delta_copy *ret_copy);
