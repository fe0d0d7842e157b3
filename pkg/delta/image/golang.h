/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the Go linker's tables: function table (pclntab), offsets of types, and where their values count from. Follows
 * Go's runtime/symtab.go and internal/abi/type.go, 1.16 to 1.26. Hostile tables only make predictions bad. */
#pragma once

#include "delta/image/image.h"

enum {
    DELTA_GO_SEARCH_MAX = 16 << 20,
    DELTA_GO_FUNCTIONS_MAX = 16 << 20,
    DELTA_GO_HEAD_BYTES = 48,
    DELTA_GO_PCDATA_MAX = 64,
};

/* If it finds tables: fills image->go, and adds their regions to *image, which is complete otherwise. */
HF_MUST_USE int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err);

struct delta_go_function_layout {
    uint8_t name, pc, pcdata_n, unit, funcdata_n, pcdata;
};

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go);

uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head);

/* Reads a row of the function table. *ret_entry: the function's position (DELTA_GO_116: address); *ret_function: its
 * description's position (last row: DELTA_NOWHERE). */
HF_MUST_USE int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                             uint64_t *ret_function, struct hf_err *err);
