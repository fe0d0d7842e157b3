/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/image/image.h"

#include "base/array.h"

uint64_t delta_position_of(const struct delta_segments *segments, uint64_t address)
{
    for (unsigned i = 0; i < segments->n; i++) {
        const struct delta_segment *s = &segments->p[i];
        uint64_t at = address - s->address;
        if (at < s->file_size)
            return s->offset + at;
        if (at < s->memory_size)
            return DELTA_MEMORY + address;
    }
    return DELTA_NOWHERE;
}

uint64_t delta_address_of(const struct delta_segments *segments, uint64_t position)
{
    if (position >= DELTA_MEMORY)
        return position - DELTA_MEMORY;
    for (unsigned i = 0; i < segments->n; i++) {
        const struct delta_segment *s = &segments->p[i];
        if (position - s->offset < s->file_size)
            return s->address + (position - s->offset);
    }
    return position;
}

const struct delta_region *delta_image_region(const struct delta_image *image, uint64_t offset, uint64_t *ret_end)
{
    static const struct delta_region plain = {.kind = DELTA_REGION_PLAIN};
    size_t next = hf_array_lower_bound(i, image->regions_n, image->regions[i].offset <= offset);

    *ret_end = next < image->regions_n ? image->regions[next].offset : UINT64_MAX;
    if (next == 0)
        return &plain;
    const struct delta_region *r = &image->regions[next - 1];
    if (offset - r->offset >= r->size)
        return &plain;
    *ret_end = r->offset + r->size;
    return r;
}
