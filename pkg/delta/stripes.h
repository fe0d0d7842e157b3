/* delta/stripes.h - a block of method 2: stripes, each with the literals of a part of it and then its copies, so that both can be
 * decoded at the same time, in memory that does not grow. */
#pragma once

#include "delta/cm/literals.h"
#include "delta/cm/model.h"
#include "delta/create.h"

/* Bytes that the literals of a stripe are coded in, at most: what no chance takes more than. Checked before memory is taken. */
enum { DELTA_STRIPE_CODED_MAX = 1 << 20 };

/* ---- applying -------------------------------------------------------------------------------------------------- */

/* What decodes blocks, one after the other. */
struct delta_stripes;

/* `shared` and `apply` must live as long. */
HF_MUST_USE int delta_stripes_open(struct delta_apply_state *apply, struct delta_shared_context *shared,
                                   struct delta_stripes **ret_stripes, struct hf_err *err);
void delta_stripes_close(struct delta_stripes *stripes);

/* new[start..end), from the patch to the output. */
HF_MUST_USE int delta_stripes_apply(struct delta_stripes *stripes, uint64_t start, uint64_t end, struct hf_err *err);
/* Pass over the block. */
HF_MUST_USE int delta_stripes_skip(struct delta_input *input, struct hf_err *err);

/* ---- creating -------------------------------------------------------------------------------------------------- */

/* The models of the encoder, and its coder. */
struct delta_striper {
    const struct delta_make *make;
    const struct delta_map *map;
    struct delta_cm cm;
    struct delta_model *model;
    struct delta_literals *literals;
    uint64_t room; /* of a stripe: DELTA_STRIPE_BYTES, or less */
    struct hf_buf part;
};

/* Append new[start..end), coded in `manner`, to `block`. */
HF_MUST_USE int delta_stripes_make(struct delta_striper *striper, uint64_t start, uint64_t end,
                                   struct delta_manner *manner, struct hf_buf *block, struct hf_err *err);
