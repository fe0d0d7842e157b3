/* SPDX-License-Identifier: Apache-2.0 */
/* One hf_delta_apply() and its checkpoints. Borrows all. */
#pragma once

#include "delta/io/wire.h"

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* At each block's end: only there can applying resume. Flushes and calls params->checkpoint(), if any and the new file
 * is incomplete; returns their errors. */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* The resume point is behind the block, whose output exists. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);
