/* SPDX-License-Identifier: Apache-2.0 */
/* Finds references in Go's tables: function table, descriptions, types and others. */
#pragma once

#include "delta/image/find_go.h"
#include "delta/image/refs.h"

/* What the scan of a window leaves to the scan of the next window; zero it first. */
struct delta_go_cursor {
    uint64_t row;
    uint64_t uncommon;
    uint64_t methods, methods_end;
    uint64_t interface, interface_end;
    struct delta_go_found found;
};

static inline bool delta_go_has(unsigned region_kind)
{
    return region_kind >= DELTA_REGION_GO_ROWS && region_kind <= DELTA_REGION_GO_DATA;
}

/* Finds references where delta_go_has() is true, like delta_refs_scan(). Fails only if reading fails. */
HF_MUST_USE int delta_go_scan(struct delta_old *file, const struct delta_image *image,
                              const struct delta_region *region, const unsigned char *bytes, size_t n, size_t limit,
                              uint64_t offset, struct delta_go_cursor *cursor, struct delta_ref *refs,
                              size_t *ret_found, struct hf_err *err);
