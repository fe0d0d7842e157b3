/* SPDX-License-Identifier: Apache-2.0 */
/* Method 2: records coded by context mixing. The body is the shared context (map, pairs of images) as a coded part,
 * then the blocks, each for 4 MiB of output. */
#include <errno.h>
#include <string.h>

#include "delta/blocks.h"
#include "delta/methods.h"
#include "delta/shared_context.h"
#include "delta/stripes.h"

enum { QUICK_MIN = 1 << 18 };

static int apply_blocks(struct delta_apply_state *apply, struct delta_stripes *stripes, struct hf_err *err)
{
    int r = 0;

    for (uint64_t start = 0, end; r == 0 && start < apply->header.new_size; start = end) {
        end = HF_MIN(start + DELTA_BLOCK, apply->header.new_size);
        if (delta_apply_skips_block(apply, start))
            r = delta_stripes_skip(apply->input, err);
        else if ((r = delta_stripes_apply(stripes, start, end, err)) == 0)
            r = delta_apply_checkpoint(apply, err);
    }
    return r;
}

int delta_apply_cm(struct delta_apply_state *apply, struct hf_err *err)
{
    struct delta_shared_context shared = {
        .old = apply->old, .old_size = apply->header.old_size, .new_size = apply->header.new_size};
    struct delta_stripes *stripes = NULL;
    int r = delta_shared_context_read(apply, &shared, err);

    if (r == 0)
        r = delta_stripes_open(apply, &shared, &stripes, err);
    if (r == 0) {
        r = apply_blocks(apply, stripes, err);
        delta_stripes_close(stripes);
    }
    delta_shared_context_done(&shared);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct cm_encoder {
    struct delta_stripe_encoder encoder;
    struct delta_memory memory;
    struct delta_old literals_old;
    struct delta_shared_context shared;
    struct delta_block_options options;
    struct hf_buf block;
};

static void pack_close(void *state)
{
    struct cm_encoder *k = state;

    delta_literals_free(k->encoder.literals);
    delta_model_free(k->encoder.model);
    delta_shared_context_done(&k->shared);
    hf_buf_done(&k->encoder.part);
    hf_buf_done(&k->block);
    free(k);
}

static int pack_open(const struct delta_make *make, struct hf_buf *shared, void **ret_state, struct hf_err *err)
{
    struct cm_encoder *k = calloc(1, sizeof(*k));
    int r;

    if (k == NULL)
        return delta_no_memory(err);
    k->encoder = (struct delta_stripe_encoder){
        .make = make, .map = &k->shared.map, .room = DELTA_STRIPE_BYTES, .part = HF_BUF_INIT(SIZE_MAX / 2)};
    k->block = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
    r = delta_shared_context_make(make, &k->memory, &k->shared, shared, err);
    if (r == 0) {
        delta_old_init(&k->literals_old, &k->memory.file);
        k->encoder.model = delta_model_new(&k->shared);
        k->encoder.literals = delta_literals_new(&k->shared, &k->literals_old);
        r = k->encoder.model == NULL || k->encoder.literals == NULL ? delta_no_memory(err) : 0;
    }
    if (r < 0) {
        pack_close(k);
        return r;
    }
    *ret_state = k;
    return 0;
}

static int make_block(struct cm_encoder *k, uint64_t start, uint64_t end, struct hf_err *err)
{
    hf_buf_clear(&k->block);
    return delta_stripes_make(&k->encoder, start, end, &k->options, &k->block, err);
}

/* True for an update that would take more than a second per 20 MB to apply: then a few per cent more bytes are the
 * better choice. Small files and larger changes stay with the smallest size. */
static bool shall_be_quick(uint64_t made, uint64_t coded)
{
    return made >= QUICK_MIN && coded > made / 44 && coded < made / 8;
}

static int pack_block(void *state, uint64_t start, uint64_t end, struct hf_buf *body, struct hf_err *err)
{
    struct cm_encoder *k = state;

    memset(&k->options, 0, sizeof(k->options));
    int r = make_block(k, start, end, err);
    k->options.quick = shall_be_quick(end - start, k->block.n);
    if (r == 0 && (k->options.quick || k->options.plain_n > 0))
        r = make_block(k, start, end, err);
    return r == 0 && hf_buf_add(body, k->block.p, k->block.n) < 0 ? delta_no_memory(err) : r;
}

const struct delta_blocks_ops delta_blocks_cm = {pack_open, pack_block, pack_close};
