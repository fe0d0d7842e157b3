/* delta/apply_state.h - one run of hf_delta_apply(), and what its methods share: resume points and blocks to skip.
 *
 * Threads: one at a time. Memory: the caller of delta_apply_*() owns all that the members point to. */
#pragma once

#include "delta/io/wire.h"

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* Flush the output and hand the caller a checkpoint; call it at each block border, where every coder starts anew.
 * Does nothing at the end of the new file, or if the caller asked for no checkpoints. Returns the caller's error. */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* True if the application resumes behind the start of this block: its output exists already. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);
