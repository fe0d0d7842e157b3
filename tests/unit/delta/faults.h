/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and deltas for what applying meets on a node (test_delta_faults, test_delta_kills). The numbers drawn are each
 * program's own sequence (support/draw.h). */
#pragma once

#include <stdio.h>

#include "delta/delta.h"
#include "delta/io/wire.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/draw.h"

#include "add.h"

static inline struct hf_buf text(size_t n)
{
    struct hf_buf b = BUF;

    while (b.n < n) {
        char line[80];
        int length = snprintf(line, sizeof(line), "item %u.%u: %u;\n", draw() % 977, draw() % 13, draw() % 100000);
        add(&b, line, (size_t)length);
    }
    b.n = n;
    return b;
}

/* Every `step` bytes a part of a dozen bytes is replaced by digits, a little more of them. */
static inline struct hf_buf edited(const struct hf_buf *from, size_t step)
{
    struct hf_buf b = BUF;

    for (size_t at = 0; at < from->n; at += step) {
        unsigned char other[20];
        size_t n = HF_MIN(step, from->n - at), skip = HF_MIN(n, (size_t)12);
        for (size_t i = 0; i < sizeof(other); i++)
            other[i] = (unsigned char)('0' + draw() % 10);
        add(&b, other, 8 + draw() % 12);
        add(&b, from->p + at + skip, n - skip);
    }
    return b;
}

/* By the method that the profile has its name from. */
static inline struct hf_buf make(const struct hf_buf *old, const struct hf_buf *new_bytes,
                                 enum hf_delta_profile profile)
{
    struct hf_delta_create_params params = {.profile = profile, .threads = 1};
    struct hf_buf patch = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_info info;
    int r = hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, &err);

    ck_assert_msg(r == 0, "create: %s", err.cause);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    ck_assert_int_eq(hf_delta_read_info(&in, &info, &err), 0);
    ck_assert_uint_eq(info.method, profile == HF_DELTA_SMALL ? DELTA_METHOD_RECORDS_CM : DELTA_METHOD_RECORDS_ZSTD);
    return patch;
}
