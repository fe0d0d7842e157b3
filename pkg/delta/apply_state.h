/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one hf_delta_apply(), and its checkpoints. Threads: one at a time. It borrows everything. */
#pragma once

#include "delta/io/wire.h"

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* Call at the end of each block: applying can resume only there. Flushes the output and calls params->checkpoint(), if
 * there is one and the new file is not complete; returns their errors. */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* This run resumes after the block: its output exists. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);
