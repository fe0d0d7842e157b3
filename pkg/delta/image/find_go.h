/* delta/image/find_go.h - Go's findfunctab, which leads from code to functions: for each 4,096 bytes of code (a
 * bucket), the table has the number of the function at the start of the bucket. For each 256 bytes (a part), the
 * table has the number of the function at the start of the part minus that of the bucket. The positions of the
 * functions determine all these numbers. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* Result of the last lookup; all zero at first. */
struct delta_go_found {
    uint64_t bucket; /* number + 1; 0: none */
    uint64_t part;   /* number of the next part (256 bytes) of the new code */
    uint64_t row;    /* number of the function at the start of the part before `part` */
    uint64_t entry;  /* address in the new file of function row + 1 */
    uint32_t rows[DELTA_GO_BUCKET_PARTS];
};

/* Computes the numbers of the old functions at the starts of the parts of new code that `bucket` describes. Returns
 * read errors of the old file. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
