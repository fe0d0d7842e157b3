/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/refs_go.h - references in the tables of Go images: in the rows of the function table, in the descriptions
 * of functions, in types, and in lists of offsets.
 *
 * The scanner finds the descriptions of functions through the function table, and the methods of a type through the
 * type, which precedes its methods. It recognizes all other references by their position or by the bytes around
 * them. */
#pragma once

#include "delta/image/find_go.h"
#include "delta/image/refs.h"

/* State that the scan of one window (struct delta_span of predict.h) leaves to the scan of the next. Zero the struct
 * before the first window. All positions are positions in the old file. */
struct delta_go_cursor {
    uint64_t row; /* number of the row of the function in which the latest window ended */
    /* position of a type's "uncommon" part, which follows the part that depends on the type's kind (0 means none) */
    uint64_t uncommon;
    uint64_t methods, methods_end;     /* start and end of the methods of the latest type with methods */
    uint64_t interface, interface_end; /* start and end of the methods of the latest interface type */
    struct delta_go_found found;
};

static inline bool delta_go_has(unsigned region_kind)
{
    return region_kind >= DELTA_REGION_GO_ROWS && region_kind <= DELTA_REGION_GO_DATA;
}

/* Finds sites as delta_refs_scan() does, in regions for which delta_go_has() is true. Returns read errors of the old
 * file. */
HF_MUST_USE int delta_go_scan(struct delta_old *file, const struct delta_image *image,
                              const struct delta_region *region, const unsigned char *bytes, size_t n, size_t limit,
                              uint64_t offset, struct delta_go_cursor *cursor, struct delta_ref *refs,
                              size_t *ret_found, struct hf_err *err);
