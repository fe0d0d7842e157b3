/* delta/image/refs_go.h - references in the tables of Go images: rows and descriptions of functions, types, lists of offsets.
 *
 * Descriptions are found by the table of functions, methods by the type before them; the rest by its place alone. */
#pragma once

#include "delta/image/find_go.h"
#include "delta/image/refs.h"

/* What was seen last: where the search goes on. All zero at first; positions in old. */
struct delta_go_cursor {
    uint64_t row;                      /* of the function the last window ended in */
    uint64_t uncommon;                 /* what a type has behind its own kind's part; 0: nothing */
    uint64_t methods, methods_end;     /* of the last type that had any */
    uint64_t interface, interface_end; /* methods of the last interface */
    struct delta_go_found found;
};

static inline bool delta_go_has(unsigned region_kind)
{
    return region_kind >= DELTA_REGION_GO_ROWS && region_kind <= DELTA_REGION_GO_DATA;
}

/* As delta_refs_scan(), for regions delta_go_has(). Read errors of old are returned. */
HF_MUST_USE int delta_go_scan(struct delta_old *file, const struct delta_image *image,
                              const struct delta_region *region, const unsigned char *bytes, size_t n, size_t limit,
                              uint64_t offset, struct delta_go_cursor *cursor, struct delta_ref *refs,
                              size_t *ret_found, struct hf_err *err);
