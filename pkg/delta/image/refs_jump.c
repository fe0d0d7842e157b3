/* SPDX-License-Identifier: Apache-2.0 */
/* No data nearby records where a jump table starts, so the scanner assumes that it starts at the first of several
 * consecutive words that lead to code. If several tables follow each other, it takes the start of the first for all
 * of them. The computed target is then slightly wrong, but the code there has nearly always moved by the same
 * distance as the true target. */
#include "delta/image/refs_jump.h"

#include "base/endian.h"

/* Returns the target of a word that counts from `start`; DELTA_NOWHERE if it does not lead to code. Code precedes
 * its tables. */
static uint64_t leads_to(const struct delta_image *image, uint64_t start, uint32_t word)
{
    uint64_t end;

    if (word < 0x80000000)
        return DELTA_NOWHERE;
    uint64_t target =
        delta_position_of(&image->segments, delta_address_of(&image->segments, start) - (UINT64_C(0x100000000) - word));
    return target < DELTA_MEMORY && delta_image_region(image, target, &end)->kind == DELTA_REGION_CODE ? target
                                                                                                       : DELTA_NOWHERE;
}

size_t delta_jump_scan(const struct delta_image *image, const unsigned char *bytes, size_t n, size_t limit,
                       uint64_t offset, struct delta_jumps *jumps, struct delta_ref *refs)
{
    size_t found = 0;

    for (size_t i = (size_t)((4 - offset % 4) % 4); i < n && i + 4 <= limit; i += 4) {
        uint64_t place = offset + i, start = place == jumps->end ? jumps->start : place;
        uint32_t word = hf_le32(bytes + i);
        uint64_t target = leads_to(image, start, word);
        if (target == DELTA_NOWHERE)
            continue;
        *jumps = (struct delta_jumps){start, place + 4};
        refs[found++] = (struct delta_ref){
            .target = target, .base = start, .word = word, .at = (uint32_t)i, .kind = DELTA_REF_JUMP, .n = 4};
    }
    return found;
}
