/* delta/image/find_go.h - Go's findfunctab, a table that leads from code to functions. For each 4,096 bytes of code (a
 * bucket), the table has the number of the function at the start of the bucket. A bucket has 16 parts of 256 bytes. For
 * each part, the table has the number of the function at the start of the part, minus the number of the function at the
 * start of the bucket. The positions of the functions determine all these numbers. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* The result of the latest look-up. Zero the struct before the first look-up. */
struct delta_go_found {
    uint64_t bucket; /* number of the bucket + 1 (0 means none) */
    uint64_t part;   /* number of the next part (256 bytes) of the new code */
    uint64_t row;    /* number of the function at the start of the part with number part - 1 */
    uint64_t entry;  /* address, in the new file, of the function with number row + 1 */
    uint32_t rows[DELTA_GO_BUCKET_PARTS];
};

/* For each part of the bucket of new code with number `bucket`, computes the number of the old function at the start of
 * the part. Returns read errors of the old file. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
