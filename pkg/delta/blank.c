#include "delta/blank.h"

#include <string.h>

#include "delta/refs.h"

enum { PIECE = 1024 };

static uint32_t kept_bits(unsigned kind)
{
    switch (kind) {
    case DELTA_REF_BL:
        return 0xfc000000;
    case DELTA_REF_B19:
        return 0xff00001f;
    case DELTA_REF_B14:
        return 0xfff8001f;
    case DELTA_REF_ADRP:
    case DELTA_REF_ADR:
        return 0x9f00001f;
    case DELTA_REF_LO12:
        return 0xffc003ff;
    default:
        return 0;
    }
}

static size_t blank_piece(const struct delta_image *image, const struct delta_region *region,
                          const unsigned char *bytes, size_t at, size_t end, unsigned char *out)
{
    struct delta_ref refs[(PIECE + 3) / 4 + 1];
    size_t n = HF_MIN((size_t)PIECE, end - at), next = at + n;
    size_t found = delta_refs_scan(image, region, bytes + at, n, HF_MIN(n + 16, end - at), at, refs);

    for (size_t i = 0; i < found; i++) {
        uint32_t kept = kept_bits(refs[i].kind);
        for (unsigned k = 0; k < 4; k++)
            out[at + refs[i].at + k] &= (unsigned char)(kept >> (8 * k));
        next = HF_MAX(next, at + refs[i].at + refs[i].n);
    }
    return next;
}

void delta_blank(const struct delta_image *image, const unsigned char *bytes, size_t n, unsigned char *out)
{
    memcpy(out, bytes, n);
    for (unsigned i = 0; i < image->regions_n; i++) {
        const struct delta_region *r = &image->regions[i];
        size_t at = (size_t)r->offset, end = (size_t)(r->offset + r->size);
        if (r->kind != DELTA_REGION_CODE || at < DELTA_SCAN_BEFORE || end > n || n - end < DELTA_SCAN_AFTER + 16)
            continue;
        while (at < end)
            at = blank_piece(image, r, bytes, at, end, out);
    }
}
