/* SPDX-License-Identifier: Apache-2.0 */
/* Go's findfunctab has for each bucket of 4,096 bytes of code the number of the function at its start, and for each of
 * 16 parts of the bucket the difference to that number. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* The last look-up; zeros at first. */
struct delta_go_found {
    uint64_t bucket;
    uint64_t part;
    uint64_t row;
    uint64_t entry;
    uint32_t rows[DELTA_GO_BUCKET_PARTS];
};

/* Computes which old functions stand at the starts of a new bucket's parts. Fails only if reading fails. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
