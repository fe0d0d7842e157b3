/* SPDX-License-Identifier: Apache-2.0 */
/* Codes a block of method 2 as stripes. A stripe has the literals, then the copies, of a part of the block, so two
 * threads can decode in bounded memory. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/literals.h"
#include "delta/cm/model.h"
#include "delta/create.h"

struct delta_stripes;

/* Borrows everything until closed. */
HF_MUST_USE int delta_stripes_open(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                   struct delta_stripes **ret_stripes, struct hf_err *err);
void delta_stripes_close(struct delta_stripes *stripes);

HF_MUST_USE int delta_stripes_apply(struct delta_stripes *stripes, uint64_t start, uint64_t end, struct hf_err *err);
HF_MUST_USE int delta_stripes_skip(struct delta_input *input, struct hf_err *err);

struct delta_stripe_encoder {
    const struct delta_make *make;
    const struct delta_map *map;
    struct delta_cm cm;
    struct delta_model *model;
    struct delta_literals *literals;
    /* most bytes of a stripe's literals and runs; less in tests */
    uint64_t room;
    struct hf_buf part;
};

HF_MUST_USE int delta_stripes_make(struct delta_stripe_encoder *encoder, uint64_t start, uint64_t end,
                                   struct delta_block_options *options, struct hf_buf *block, struct hf_err *err);
