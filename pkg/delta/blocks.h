/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes the blocks of a body in several threads. */
#pragma once

#include "delta/create.h"

struct delta_blocks_ops {
    int (*open)(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err);
    int (*code)(void *state, uint64_t start, uint64_t end, struct hf_buf *part, struct hf_err *err);
    void (*close)(void *state);
};

extern const struct delta_blocks_ops delta_blocks_zstd, delta_blocks_cm;
extern const struct delta_blocks_ops delta_blocks_quick; /* method 1 with low effort, to estimate sizes */

/* Appends the body of makes[i] to bodies[i]; all makes have the same new file. `workers` changes no bytes. */
HF_MUST_USE int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                                  unsigned workers, struct hf_buf *bodies, struct hf_err *err);
