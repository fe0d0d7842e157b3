/* delta/blocks.h - the blocks of one or several bodies, each coded by itself, so that threads can share them. Creating only. */
#pragma once

#include "delta/create.h"

/* How a method codes. */
struct delta_blocks_ops {
    /* What is ready to code blocks of `make`; the shared context, as the body begins with it, is appended to *shared. */
    int (*open)(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err);
    /* Append new[start..end) with its length in front. */
    int (*code)(void *state, uint64_t start, uint64_t end, struct hf_buf *part, struct hf_err *err);
    void (*close)(void *state);
};

extern const struct delta_blocks_ops delta_blocks_zstd, delta_blocks_cm; /* methods 1 and 2 */
extern const struct delta_blocks_ops delta_blocks_quick;                 /* method 1, to see what it comes to */

/* Append each make's body to its buffer. The number of workers changes nothing but the time. */
HF_MUST_USE int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                                  unsigned workers, struct hf_buf *bodies, struct hf_err *err);
