/* SPDX-License-Identifier: Apache-2.0 */
/* delta/stripes.h - a block of method 2 as a sequence of stripes. Each stripe covers a part of the block, and holds
 * first the literals and then the copies of that part. So two threads can decode literals and copies at the same time
 * in bounded memory. */
#pragma once

#include "delta/apply_state.h"
#include "delta/cm/literals.h"
#include "delta/cm/model.h"
#include "delta/create.h"

/* Maximum size in bytes of a stripe's coded literals. Literals stay below this size even if the coder predicts every
 * bit badly. The decoder checks the size before it allocates memory. */
enum { DELTA_STRIPE_CODED_MAX = 1 << 20 };

/* ---- applying -------------------------------------------------------------------------------------------------- */

/* A decoder of consecutive blocks. */
struct delta_stripes;

/* Borrows `apply` and `shared` until delta_stripes_close(). */
HF_MUST_USE int delta_stripes_open(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                   struct delta_stripes **ret_stripes, struct hf_err *err);
void delta_stripes_close(struct delta_stripes *stripes);

/* Decodes the block of new[start..end) from the delta and writes the bytes to the output. */
HF_MUST_USE int delta_stripes_apply(struct delta_stripes *stripes, uint64_t start, uint64_t end, struct hf_err *err);
/* Skips the next block of the delta without decoding it. */
HF_MUST_USE int delta_stripes_skip(struct delta_input *input, struct hf_err *err);

/* ---- creating -------------------------------------------------------------------------------------------------- */

/* The encoder's models and coder. */
struct delta_stripe_encoder {
    const struct delta_make *make;
    const struct delta_map *map;
    struct delta_cm cm;
    struct delta_model *model;
    struct delta_literals *literals;
    /* maximum number of bytes that the literals and runs of one stripe take in the literal queue: DELTA_STRIPE_BYTES,
     * or less in tests */
    uint64_t room;
    struct hf_buf part; /* buffer for a coded part of the stripe */
};

/* Encodes new[start..end) with `options` and appends the result to `block`. */
HF_MUST_USE int delta_stripes_make(struct delta_stripe_encoder *encoder, uint64_t start, uint64_t end,
                                   struct delta_block_options *options, struct hf_buf *block, struct hf_err *err);
