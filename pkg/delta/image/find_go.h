/* SPDX-License-Identifier: Apache-2.0 */
/* Go's findfunctab: the number of the function at the start of each bucket (4,096 bytes of code), and the difference to
 * it for each of 16 parts. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* The latest look-up; zero it first. */
struct delta_go_found {
    uint64_t bucket;                      /* number + 1; 0: none */
    uint64_t part;                        /* number + 1, from the start of the new code; 0: none */
    uint64_t row;                         /* index of the old function at that part's start */
    uint64_t entry;                       /* address in the new file of old function row + 1 */
    uint32_t rows[DELTA_GO_BUCKET_PARTS]; /* old function at each part's start */
};

/* Computes the old functions at the starts of the bucket's parts. Returns read errors. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
