/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/golang.h - tables that the Go linker writes: the function table (pclntab), the offsets of types, and the
 * positions from which the values in these tables count. Encoder and decoder both find the tables in the old file.
 *
 * The layout follows the Go runtime's sources (runtime/symtab.go, internal/abi/type.go), versions 1.16 to 1.26. Hostile
 * tables can only make predictions bad, because no code reads outside the file and every search has a limit. */
#pragma once

#include "delta/image/image.h"

enum {
    DELTA_GO_SEARCH_MAX = 16 << 20,    /* maximum number of bytes to search for a table */
    DELTA_GO_FUNCTIONS_MAX = 16 << 20, /* maximum number of functions in one image */
    /* number of bytes at the start of a function's description that suffice to compute the description's size */
    DELTA_GO_HEAD_BYTES = 48,
    DELTA_GO_PCDATA_MAX = 64, /* maximum number of program counter tables of one function */
};

/* Finds Go's tables in `image`, fills image->go, and adds a region for each table. Everything else in *image must be
 * complete before the call. */
HF_MUST_USE int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err);

/* Offsets of the fields in the description of a function. */
struct delta_go_function_layout {
    uint8_t name, pc, pcdata_n, unit, funcdata_n, pcdata;
};

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go);

/* Returns the size of the description that begins with head[DELTA_GO_HEAD_BYTES]. */
uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head);

/* Reads row `index` of the function table. *ret_entry is the position of the row's function (with layout DELTA_GO_116,
 * its address), and *ret_function is the position of that function's description. The last row of the table has no
 * description: *ret_function is then DELTA_NOWHERE. */
HF_MUST_USE int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                             uint64_t *ret_function, struct hf_err *err);
