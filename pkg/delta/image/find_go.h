/* SPDX-License-Identifier: Apache-2.0 */
/* Go's findfunctab: for each bucket, 4,096 bytes of code, its first function's number, and the difference to it for
 * each of 16 parts. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* Last look-up; begins with zeros. */
struct delta_go_found {
    uint64_t bucket;                      /* + 1 */
    uint64_t part;                        /* + 1, from the new code's start */
    uint64_t row;                         /* old function at the part's start */
    uint64_t entry;                       /* old function row + 1, in the new file */
    uint32_t rows[DELTA_GO_BUCKET_PARTS]; /* at each part's start */
};

/* Old functions at the starts of a bucket's parts. Read errors. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
