/* SPDX-License-Identifier: Apache-2.0 */
/* References in Go's tables: function table, descriptions of functions, types, lists of offsets. */
#pragma once

#include "delta/image/find_go.h"
#include "delta/image/refs.h"

/* From one window's scan to the next; zero it first. Old positions. */
struct delta_go_cursor {
    uint64_t row;                      /* function where the last window ended */
    uint64_t uncommon;                 /* a type's, after the part of its kind; 0: none */
    uint64_t methods, methods_end;     /* the last type with methods */
    uint64_t interface, interface_end; /* the last interface type */
    struct delta_go_found found;
};

static inline bool delta_go_has(unsigned region_kind)
{
    return region_kind >= DELTA_REGION_GO_ROWS && region_kind <= DELTA_REGION_GO_DATA;
}

/* As delta_refs_scan(), where delta_go_has(). Returns read errors. */
HF_MUST_USE int delta_go_scan(struct delta_old *file, const struct delta_image *image,
                              const struct delta_region *region, const unsigned char *bytes, size_t n, size_t limit,
                              uint64_t offset, struct delta_go_cursor *cursor, struct delta_ref *refs,
                              size_t *ret_found, struct hf_err *err);
