/* delta/image/golang.h - what the Go linker put into an image: the tables of functions (pclntab), the offsets of types, and where they
 * count from. Found in old on both sides alike.
 *
 * Layout as in the Go runtime's own sources (runtime/symtab.go, internal/abi/type.go), versions 1.16 to 1.26. Hostile tables
 * only make predictions bad: nothing is read outside the file, no search is longer than its named limit. */
#pragma once

#include "delta/image/image.h"

enum {
    DELTA_GO_SEARCH_MAX = 16 << 20,    /* bytes of data looked through for a table */
    DELTA_GO_FUNCTIONS_MAX = 16 << 20, /* of one image */
    DELTA_GO_HEAD_BYTES = 48,          /* of a function's description, enough to tell its size */
    DELTA_GO_PCDATA_MAX = 64,          /* tables by program counter that a description names */
};

/* Find the tables of the image, which is read but for them, and make them regions of their own. */
HF_MUST_USE int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err);

/* Offsets of the fields in the description of a function. */
struct delta_go_function_layout {
    uint8_t name, pc, pcdata_n, unit, funcdata_n, pcdata;
};

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go);

/* Bytes of the description that begins so; head has DELTA_GO_HEAD_BYTES. */
uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head);

/* Old position of the function entry in row `index` of the table, and of its description; the last row has no description:
 * DELTA_NOWHERE. */
HF_MUST_USE int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                             uint64_t *ret_function, struct hf_err *err);
