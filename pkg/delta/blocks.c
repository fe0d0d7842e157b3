/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/blocks.h"

#include "delta/io/jobs.h"

/* State of one worker: the encoder for `make`, the one of its last block. */
struct block_worker {
    void *state;
    unsigned make;
};

struct blocks {
    const struct delta_blocks_ops *ops;
    const struct delta_make *const *makes;
    unsigned per_make;
    struct hf_buf *parts; /* by job */
    struct block_worker workers[DELTA_WORKERS_MAX];
};

static int open_for(struct blocks *b, struct block_worker *worker_state, unsigned make, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf ignored = HF_BUF_INIT(SIZE_MAX / 2);

    if (worker_state->state != NULL && worker_state->make == make)
        return 0;
    if (worker_state->state != NULL)
        b->ops->close(worker_state->state);
    worker_state->state = NULL;
    worker_state->make = make;
    return b->ops->open(b->makes[make], &ignored, &worker_state->state, err);
}

static int code_block(void *ctx, unsigned worker, unsigned i, struct hf_err *err)
{
    struct blocks *b = ctx;
    struct block_worker *worker_state = &b->workers[worker];
    unsigned make = i / b->per_make;
    uint64_t start = (uint64_t)(i % b->per_make) * DELTA_BLOCK, new_n = b->makes[make]->new_n;
    int r = open_for(b, worker_state, make, err);

    return r < 0 ? r : b->ops->code(worker_state->state, start, HF_MIN(start + DELTA_BLOCK, new_n), &b->parts[i], err);
}

/* Opens an encoder for each make to write the start of its body. Descending, so that the first worker keeps the one
 * for the first make, where its first block is. */
static int begin_bodies(struct blocks *b, unsigned n, struct hf_buf *bodies, struct hf_err *err)
{
    int r = 0;

    for (unsigned i = n; r == 0 && i-- > 0;) {
        struct block_worker *worker_state = &b->workers[0];
        if (worker_state->state != NULL)
            b->ops->close(worker_state->state);
        worker_state->state = NULL;
        worker_state->make = i;
        r = b->ops->open(b->makes[i], &bodies[i], &worker_state->state, err);
    }
    return r;
}

static int join_parts(struct blocks *b, unsigned n, struct hf_buf *bodies, struct hf_err *err)
{
    for (unsigned i = 0; i < n * b->per_make; i++) {
        const struct hf_buf *part = &b->parts[i];
        if (part->n > 0 && hf_buf_add(&bodies[i / b->per_make], part->p, part->n) < 0)
            return delta_no_memory(err);
    }
    return 0;
}

int delta_blocks_make(const struct delta_blocks_ops *ops, const struct delta_make *const *makes, unsigned n,
                      unsigned workers, struct hf_buf *bodies, struct hf_err *err)
{
    struct blocks *b = calloc(1, sizeof(*b));
    unsigned per_make = (unsigned)((makes[0]->new_n + DELTA_BLOCK - 1) / DELTA_BLOCK), jobs_n = n * per_make;
    int r = b != NULL && (b->parts = calloc(jobs_n + 1UL, sizeof(*b->parts))) != NULL ? 0 : delta_no_memory(err);

    if (r == 0) {
        b->ops = ops;
        b->makes = makes;
        b->per_make = per_make;
        for (unsigned i = 0; i < jobs_n; i++)
            b->parts[i] = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
        r = begin_bodies(b, n, bodies, err);
    }
    const struct delta_jobs jobs = {jobs_n, b, code_block};
    if (r == 0)
        r = delta_jobs_run(&jobs, workers, err);
    if (b != NULL)
        for (unsigned i = 0; i < DELTA_WORKERS_MAX; i++)
            if (b->workers[i].state != NULL)
                ops->close(b->workers[i].state);
    if (r == 0)
        r = join_parts(b, n, bodies, err);
    if (b != NULL && b->parts != NULL)
        for (unsigned i = 0; i < jobs_n; i++)
            hf_buf_done(&b->parts[i]);
    if (b != NULL)
        free(b->parts);
    free(b);
    return r;
}
