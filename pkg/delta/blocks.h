/* delta/blocks.h - encode the blocks of one or several bodies. Blocks are independent, so threads share them.
 * Creating only. */
#pragma once

#include "delta/create.h"

/* The encoder of one method. */
struct delta_blocks_ops {
    /* Makes the encoder for the blocks of `make`, and appends the encoded shared context, which begins the body, to
     * *shared. */
    int (*open)(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err);
    /* Appends new[start..end), preceded by its length. */
    int (*code)(void *state, uint64_t start, uint64_t end, struct hf_buf *part, struct hf_err *err);
    void (*close)(void *state);
};

/* the methods that encode by blocks: 1 and 2 */
extern const struct delta_blocks_ops delta_blocks_zstd, delta_blocks_cm;
extern const struct delta_blocks_ops delta_blocks_quick; /* method 1 at low effort, to estimate the size */

/* Appends each make's body to its buffer. The number of workers does not change the bytes. */
HF_MUST_USE int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                                  unsigned workers, struct hf_buf *bodies, struct hf_err *err);
