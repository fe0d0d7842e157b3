/* SPDX-License-Identifier: Apache-2.0 */
/* delta/apply_state.h - the state of one run of hf_delta_apply(), and the checkpoint functions that all methods share.
 *
 * Threads: a state belongs to one thread at a time. Memory: the caller of delta_apply_*() owns everything that the
 * members point to. */
#pragma once

#include "delta/io/wire.h"

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* Flushes the output and passes a checkpoint to params->checkpoint(). Call this at the end of each block. Applying can
 * resume only there, because every coder starts anew with each block. Does nothing at the end of the new file, or if
 * params->checkpoint is NULL. Returns the errors of the output and of params->checkpoint(). */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* Returns true if the output of the block at `block_start` already exists, because this run resumes at a later
 * offset. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);
