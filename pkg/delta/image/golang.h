/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the Go linker: function table (pclntab), offsets of types, and the positions from which their values count.
 * Layout: Go's runtime/symtab.go and internal/abi/type.go, 1.16 to 1.26. Both sides find them in the old file. Hostile
 * tables only make predictions bad: reads stay in the file, searches have limits. */
#pragma once

#include "delta/image/image.h"

enum {
    DELTA_GO_SEARCH_MAX = 16 << 20,    /* bytes to search for a table */
    DELTA_GO_FUNCTIONS_MAX = 16 << 20, /* in one image */
    DELTA_GO_HEAD_BYTES = 48,          /* bytes of a description that tell its size */
    DELTA_GO_PCDATA_MAX = 64,          /* program counter tables of one function */
};

/* Fills image->go and adds regions; the rest of *image must be complete. */
HF_MUST_USE int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err);

struct delta_go_function_layout {
    uint8_t name, pc, pcdata_n, unit, funcdata_n, pcdata;
};

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go);

uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head);

/* *ret_entry: position of the function (its address with DELTA_GO_116). *ret_function: its description, DELTA_NOWHERE
 * for the last row. */
HF_MUST_USE int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                             uint64_t *ret_function, struct hf_err *err);
