/* delta/image/find_go.h - Go's table that leads from code to functions: for each 4,096 bytes of code the number of the function at their
 * start, and how far on the function at each 256 bytes is. All of it follows from where the functions are. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DELTA_GO_BUCKET_BYTES = 20, DELTA_GO_BUCKET_PARTS = 16, DELTA_GO_PART_CODE = 256 };

struct delta_predictor;

/* What was found last; all zero at first. */
struct delta_go_found {
    uint64_t bucket; /* + 1; 0: none */
    uint64_t part;   /* of new's code, the next one */
    uint64_t row;    /* the function at the part before */
    uint64_t entry;  /* the address in new of the one behind it */
    uint32_t rows[DELTA_GO_BUCKET_PARTS];
};

/* Numbers of old functions at the starts of the parts of new's code that `bucket` is about. Read errors of old are returned. */
HF_MUST_USE int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows,
                                struct hf_err *err);
