/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the engine's public interface share: inputs, and the way there and back. The numbers drawn are each
 * program's own sequence (support/draw.h). */
#pragma once

#include <string.h>

#include "delta/delta.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/draw.h"

#include "add.h"

/* Up to this size the same delta is made twice and compared; above, `resume` in test_delta.c does. */
enum { MADE_TWICE = 1 << 20 };

static inline struct hf_buf text(size_t n)
{
    struct hf_buf b = BUF;

    while (b.n < n) {
        char line[80];
        int length =
            snprintf(line, sizeof(line), "line %u of %u: value = %u;\n", draw() % 977, draw() % 13, draw() % 100000);
        add(&b, line, (size_t)length);
    }
    b.n = n;
    return b;
}

/* A copy with edits: changed bytes, insertions, deletions, a moved part. */
static inline struct hf_buf edited(const struct hf_buf *from, unsigned edits)
{
    struct hf_buf b = BUF;
    size_t step = from->n / (edits + 1), at = 0;

    for (unsigned i = 0; i < edits; i++) {
        add(&b, from->p + at, step);
        at += step;
        switch (draw() % 4) {
        case 0:
            if (b.n > 0)
                b.p[draw() % b.n] ^= (char)draw();
            break;
        case 1: {
            uint32_t word[4] = {draw(), draw(), draw(), draw()};
            add(&b, word, sizeof(word));
            break;
        }
        case 2:
            at += draw() % (step + 1);
            step = (from->n - at) / (edits - i);
            break;
        default:
            if (from->n > 64)
                add(&b, from->p + draw() % (from->n - 64), 64);
        }
    }
    add(&b, from->p + at, from->n - at);
    return b;
}

static inline struct hf_buf make(const struct hf_buf *old, const struct hf_buf *new_bytes,
                                 enum hf_delta_profile profile)
{
    struct hf_delta_create_params params = {.profile = profile};
    struct hf_buf patch = BUF;
    struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, &err);

    ck_assert_msg(r == 0, "create: %s", err.cause);
    return patch;
}

static inline int apply(const struct hf_buf *old, const struct hf_buf *patch, struct hf_buf *made, struct hf_err *err)
{
    struct delta_io from = delta_io_of(old), in = delta_io_of(patch);
    const struct hf_delta_apply_params params = delta_io_params(&from, &in, made);

    made->n = 0;
    return hf_delta_apply(&params, NULL, err);
}

static inline void comes_back(const struct hf_buf *old, const struct hf_buf *new_bytes, enum hf_delta_profile profile,
                              const char *name)
{
    struct hf_buf patch = make(old, new_bytes, profile), again = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;

    if (new_bytes->n <= MADE_TWICE)
        again = make(old, new_bytes, profile);
    ck_assert_msg(again.n == 0 || (patch.n == again.n && memcmp(patch.p, again.p, patch.n) == 0),
                  "%s: not deterministic", name);
    struct delta_io from = {.p = old->p, .n = old->n, .step = 1001}, in = {.p = patch.p, .n = patch.n, .step = 7};
    const struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    int r = hf_delta_apply(&params, NULL, &err);
    ck_assert_msg(r == 0, "%s: %s", name, err.cause);
    ck_assert_msg(made.n == new_bytes->n && (made.n == 0 || memcmp(made.p, new_bytes->p, made.n) == 0), "%s: differs",
                  name);
    hf_buf_done(&patch);
    hf_buf_done(&again);
    hf_buf_done(&made);
}

/* Checkpoints, as applying tells them. */
struct kept {
    struct hf_delta_checkpoint points[8];
    unsigned n;
};

static inline int keep(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    struct kept *kept = ctx;

    ck_assert_uint_lt(kept->n, 8);
    kept->points[kept->n++] = *checkpoint;
    return 0;
}
