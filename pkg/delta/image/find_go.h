/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/find_go.h - Go's findfunctab, a table that leads from code to functions. The table divides code into
 * buckets of 4,096 bytes, and each bucket into 16 parts of 256 bytes. For each bucket, the table has the number of the
 * function at the start of the bucket. For each part, it has the number of the function at the start of the part, minus
 * the number of the function at the start of the bucket. The positions of the functions determine all these numbers. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* The result of the latest look-up. Zero the struct before the first look-up. */
struct delta_go_found {
    uint64_t bucket; /* number of the bucket + 1 (0 means none) */
    /* number + 1 of the part (256 bytes) that was looked up last (0 means none); parts count from the start of the new
     * code */
    uint64_t part;
    uint64_t row;   /* index of the old function that covers the first byte of the part that was looked up last */
    uint64_t entry; /* address in the new file of the old function with number row + 1 */
    uint32_t rows[DELTA_GO_BUCKET_PARTS]; /* for each part of the bucket, number of the old function at its start */
};

/* Looks at bucket number `bucket` of the new code. For each part of this bucket, computes the number of the old
 * function at the start of the part. Returns read errors of the old file. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
