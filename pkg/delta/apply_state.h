/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one hf_delta_apply() that all methods share. Borrows everything. */
#pragma once

#include "delta/io/wire.h"

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* Call it at each block's end, where applying can resume. Flushes and calls params->checkpoint() if it is set and the
 * new file is incomplete; returns their errors. */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* Whether the resume point is behind this block, so that its output exists. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);
