/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the Go linker's tables: function table (pclntab), offsets of types, and where their values count from. By Go's
 * runtime/symtab.go and internal/abi/type.go, 1.16 to 1.26. Both sides find them in the old file. Hostile tables only
 * predict badly: reads stay in the file, searches are bounded. */
#pragma once

#include "delta/image/image.h"

enum {
    DELTA_GO_SEARCH_MAX = 16 << 20,    /* bytes, for a table */
    DELTA_GO_FUNCTIONS_MAX = 16 << 20, /* an image's */
    DELTA_GO_HEAD_BYTES = 48,          /* of a description, which tell its size */
    DELTA_GO_PCDATA_MAX = 64,          /* tables of a function */
};

/* Fills image->go, adds regions to an otherwise complete *image. */
HF_MUST_USE int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err);

struct delta_go_function_layout {
    uint8_t name, pc, pcdata_n, unit, funcdata_n, pcdata;
};

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go);

uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head);

/* ret_entry: the function's position (DELTA_GO_116: address). *ret_function: its description; last row:
 * DELTA_NOWHERE. */
HF_MUST_USE int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                             uint64_t *ret_function, struct hf_err *err);
