/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes bodies' independent blocks in several threads. Creating only. */
#pragma once

#include "delta/create.h"

struct delta_blocks_ops {
    /* Appends the encoded shared context, a body's begin. */
    int (*open)(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err);
    /* Appends new[start..end) as in the body. */
    int (*code)(void *state, uint64_t start, uint64_t end, struct hf_buf *part, struct hf_err *err);
    void (*close)(void *state);
};

extern const struct delta_blocks_ops delta_blocks_zstd, delta_blocks_cm;
extern const struct delta_blocks_ops delta_blocks_quick; /* method 1 with low effort, to estimate sizes */

/* Appends makes[i]'s body to bodies[i]; all have one new file. The same for any `workers`. */
HF_MUST_USE int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                                  unsigned workers, struct hf_buf *bodies, struct hf_err *err);
