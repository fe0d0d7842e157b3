/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/apply_state.h"

bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start)
{
    return apply->params->resume != NULL && block_start < apply->params->resume->new_offset;
}

int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err)
{
    struct hf_delta_checkpoint checkpoint = {.new_offset = apply->output.written, .patch_offset = apply->input->offset};
    int r;

    if (apply->params->checkpoint == NULL || apply->output.written == apply->output.size)
        return 0;
    if ((r = delta_output_flush(&apply->output, err)) < 0)
        return r;
    hf_sha256_save(&apply->output.hash, checkpoint.new_hash);
    r = apply->params->checkpoint(apply->params->checkpoint_ctx, &checkpoint);
    return r < 0 ? hf_err_sys(err, r, "keep the checkpoint at offset %llu", (unsigned long long)checkpoint.new_offset)
                 : 0;
}
