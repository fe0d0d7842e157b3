/* SPDX-License-Identifier: Apache-2.0 */
/* delta/blocks.h - encode the blocks of one or several bodies. Blocks do not depend on each other, so several threads
 * encode them. Used only to create deltas. */
#pragma once

#include "delta/create.h"

/* The functions of the encoder of one method. */
struct delta_blocks_ops {
    /* Makes the encoder for the blocks of `make`. The body begins with the encoded shared context; open() appends that
     * to *shared. */
    int (*open)(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err);
    /* Encodes new[start..end), and appends the block, in the format of the body, to `part`. */
    int (*code)(void *state, uint64_t start, uint64_t end, struct hf_buf *part, struct hf_err *err);
    void (*close)(void *state);
};

/* the encoders of methods 1 and 2, the only methods whose blocks several threads encode */
extern const struct delta_blocks_ops delta_blocks_zstd, delta_blocks_cm;
extern const struct delta_blocks_ops delta_blocks_quick; /* method 1 with low effort; used to estimate sizes */

/* For each i below n, makes the body of makes[i] and appends that body to bodies[i]. All of `makes` must have the same
 * new file. The number of workers does not change the bodies. */
HF_MUST_USE int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                                  unsigned workers, struct hf_buf *bodies, struct hf_err *err);
