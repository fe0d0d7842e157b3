/* SPDX-License-Identifier: Apache-2.0 */
/* Blanking sets the bits of a reference to zero but keeps those of its instruction (kept_bits()), so that matching
 * sees equal code where only distances changed. A reference to a constant gets a hash of that constant, so that
 * references to different constants stay different.
 *
 * Pairing: the partner of a new image is the old image from which most of its bytes are copied, if both are for the
 * same machine. */
#include "delta/images.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/endian.h"
#include "delta/image/elf.h"
#include "delta/image/refs.h"
#include "delta/match/map_build.h"

enum { PIECE = 1024, MEMBER_ALIGN = 4, MARKED_BY = 8 };

static uint32_t kept_bits(const struct delta_ref *ref)
{
    switch (ref->kind) {
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
    case DELTA_REF_ARM_B:
        return 0xff000000;
    case DELTA_REF_BLX:
        return 0xfe000000;
    case DELTA_REF_MOVW:
    case DELTA_REF_MOVT:
        return 0xfff0f000;
    case DELTA_REF_PLT_HIGH:
    case DELTA_REF_PLT_MIDDLE:
        return 0xffffff00;
    case DELTA_REF_PLT_LOW:
        return 0xfffff000;
    case DELTA_REF_THUMB_BL:
    case DELTA_REF_THUMB_BLX:
        return 0xd000f800;
    case DELTA_REF_THUMB_B20:
        return 0xd000fbc0;
    case DELTA_REF_ARM_LOAD:
        return 0xff7ff000;
    case DELTA_REF_THUMB_LOAD:
        return 0xff00;
    case DELTA_REF_THUMB_LOAD_LONG:
        return 0xf000ff7f;
    case DELTA_REF_THUMB_NEAR:
        return (ref->word & 0xf000) == 0xb000 ? 0xfd07 : (ref->word & 0xf000) == 0xd000 ? 0xff00 : 0xf800;
    case DELTA_REF_THUMB_MOVW:
    case DELTA_REF_THUMB_MOVT:
        return 0x8f00fbf0;
    case DELTA_REF_AUIPC:
    case DELTA_REF_JAL:
        return 0xfff;
    case DELTA_REF_LOW: /* of stores, others */
        return (ref->word & 0x7b) == 0x23 ? 0x01fff07f : 0xfffff;
    case DELTA_REF_BRANCH:
        return 0x01fff07f;
    case DELTA_REF_SHORT_JUMP:
        return 0xe003;
    case DELTA_REF_SHORT_BRANCH:
        return 0xe383;
    default:
        return 0;
    }
}

/* Puts a hash of the constant in place of the distance to it, so that matching tells references to different
 * constants apart. */
static void mark_constant(const struct delta_image *image, const unsigned char *bytes, size_t n,
                          const struct delta_ref *ref, unsigned char *out)
{
    unsigned first = ref->kind == DELTA_REF_ADRP ? 1 : 0;
    uint32_t mark = 2166136261u;
    uint64_t end;

    if (ref->target >= n || n - ref->target < MARKED_BY ||
        delta_image_region(image, ref->target, &end)->kind != DELTA_REGION_RODATA)
        return;
    for (unsigned i = 0; i < MARKED_BY; i++)
        mark = (mark ^ bytes[ref->target + i]) * 16777619u;
    for (unsigned i = first; i < 3; i++)
        out[i] = (unsigned char)(mark >> (8 * i + 8));
}

static bool may_lead_to_constants(unsigned kind)
{
    return kind == DELTA_REF_PC_WORD || kind == DELTA_REF_RIP || kind == DELTA_REF_GOT_OFFSET || kind == DELTA_REF_ADRP;
}

static size_t blank_piece(const struct delta_image *image, const struct delta_region *region,
                          const unsigned char *bytes, size_t file_n, size_t at, size_t end,
                          struct delta_announced *announced, unsigned char *out)
{
    struct delta_ref refs[(PIECE + 1) / 2 + 1];
    size_t n = HF_MIN((size_t)PIECE, end - at), next = at + n;
    size_t found = delta_refs_scan(image, region, bytes + at, n, HF_MIN(n + 16, end - at), at, announced, refs);

    for (size_t i = 0; i < found; i++) {
        uint32_t kept = kept_bits(&refs[i]);
        for (unsigned k = 0; k < refs[i].n && k < 4; k++)
            out[at + refs[i].at + k] &= (unsigned char)(kept >> (8 * k));
        if (may_lead_to_constants(refs[i].kind))
            mark_constant(image, bytes, file_n, &refs[i], out + at + refs[i].at);
        next = HF_MAX(next, at + refs[i].at + refs[i].n);
    }
    return next;
}

static void blank_image(const struct delta_image *image, const unsigned char *bytes, size_t n, unsigned char *out)
{
    struct delta_announced announced = {0};

    for (unsigned i = 0; i < image->regions_n; i++) {
        const struct delta_region *r = &image->regions[i];
        size_t at = (size_t)r->offset, end = (size_t)(r->offset + r->size);
        if (r->kind != DELTA_REGION_CODE || at < DELTA_SCAN_BEFORE || end > n || n - end < DELTA_SCAN_AFTER + 16)
            continue;
        while (at < end)
            at = blank_piece(image, r, bytes, n, at, end, &announced, out);
    }
}

int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                       unsigned char **ret_blanked, struct hf_err *err)
{
    unsigned char *out = malloc(n);

    if (out == NULL)
        return delta_no_memory(err);
    memcpy(out, bytes, n);
    for (uint32_t i = 0; i < found->n; i++)
        blank_image(&found->p[i].image, bytes, n, out);
    *ret_blanked = out;
    return 0;
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

/* Returns the length of the ELF file at p by its own headers; 0 if it is not an ELF file. */
static uint64_t elf_size(const unsigned char *p, size_t n)
{
    if (n < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG) != 0 || p[EI_DATA] != ELFDATA2LSB ||
        (p[EI_CLASS] != ELFCLASS64 && p[EI_CLASS] != ELFCLASS32))
        return 0;
    bool wide = p[EI_CLASS] == ELFCLASS64;
    if (p[EI_VERSION] != EV_CURRENT || hf_le(p + 20, 4) != EV_CURRENT ||
        hf_le(p + (wide ? 52 : 40), 2) != (wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return 0;
    uint64_t sections = wide ? hf_le(p + 40, 8) : hf_le(p + 32, 4);
    uint64_t size = sections + (wide ? hf_le(p + 58, 2) * hf_le(p + 60, 2) : hf_le(p + 46, 2) * hf_le(p + 48, 2));
    return sections < n && size <= n && size >= sizeof(Elf64_Ehdr) ? size : 0;
}

/* Returns the next position where an image may begin, or n. Checks only the magic number. */
static size_t next_magic(const unsigned char *bytes, size_t n, size_t at)
{
    while (at < n) {
        const unsigned char *p = memmem(bytes + at, n - at, ELFMAG, SELFMAG);
        at = p != NULL ? (size_t)(p - bytes) : n;
        if (at % MEMBER_ALIGN == 0)
            return at;
        at++;
    }
    return n;
}

static int add_found(struct delta_found *found, struct delta_memory *memory, size_t at, size_t size, struct hf_err *err)
{
    if (hf_array_grow(found->p, found->n, found->cap, HF_ARRAY_ANY) < 0)
        return delta_no_memory(err);
    struct delta_found_image *f = &found->p[found->n];
    f->offset = (uint32_t)at;
    f->size = (uint32_t)size;
    int r = delta_image_read(&memory->reader, at, size, &f->image, err);
    if (r == 0 && f->image.machine != DELTA_MACHINE_NONE && f->image.segments.n > 0)
        found->n++;
    return r;
}

int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found, struct hf_err *err)
{
    struct delta_memory *memory = malloc(sizeof(*memory));
    int r = memory != NULL ? 0 : delta_no_memory(err);

    if (r == 0)
        delta_memory_open(memory, bytes, n);
    for (size_t at = 0;
         r == 0 && n <= UINT32_MAX && (at = next_magic(bytes, n, at)) < n && ret_found->n < DELTA_PAIRS_MAX;) {
        uint64_t size = elf_size(bytes + at, n - at);
        if (size > 0) {
            r = add_found(ret_found, memory, at, at == 0 && n - size < 4096 ? n : (size_t)size, err);
            at += (size_t)(size + MEMBER_ALIGN - 1) & ~(size_t)(MEMBER_ALIGN - 1);
        } else {
            at += MEMBER_ALIGN;
        }
    }
    free(memory);
    return r;
}

void delta_found_done(struct delta_found *found)
{
    free(found->p);
    *found = (struct delta_found){0};
}

/* ---- pairing --------------------------------------------------------------------------------------------------- */

static uint32_t image_at(const struct delta_found *found, uint64_t offset)
{
    size_t behind = hf_array_lower_bound(i, found->n, found->p[i].offset <= offset);
    const struct delta_found_image *image = behind > 0 ? &found->p[behind - 1] : NULL;

    return image != NULL && offset - image->offset < image->size ? (uint32_t)(behind - 1) : UINT32_MAX;
}

/* Finds the old image that the copy's part within [start, end) of the new file comes from, by its middle, and the
 * length of that part. */
static uint32_t source_of(const struct delta_found *old, const struct delta_copy *copy, uint64_t start, uint64_t end,
                          uint64_t *ret_n)
{
    uint64_t from = HF_MAX(copy->new_pos, start), to = HF_MIN(copy->new_pos + copy->len, end);

    *ret_n = to - from;
    return image_at(old, copy->old_pos + (from - copy->new_pos) + (to - from) / 2);
}

/* Finds the old image from which most of [start, end) of the new file is copied. `tally` has a zero for each old
 * image, before and after. */
static uint32_t best_partner(const struct delta_copies *copies, size_t *next, const struct delta_found *old,
                             uint64_t start, uint64_t end, uint64_t *tally)
{
    uint32_t best = UINT32_MAX, image;
    uint64_t n;
    size_t i;

    while (*next < copies->n && copies->p[*next].new_pos + copies->p[*next].len <= start)
        (*next)++;
    for (i = *next; i < copies->n && copies->p[i].new_pos < end; i++) {
        image = source_of(old, &copies->p[i], start, end, &n);
        if (image == UINT32_MAX)
            continue;
        tally[image] += n;
        if (best == UINT32_MAX || tally[image] > tally[best])
            best = image;
    }
    for (i = *next; i < copies->n && copies->p[i].new_pos < end; i++) {
        image = source_of(old, &copies->p[i], start, end, &n);
        if (image != UINT32_MAX)
            tally[image] = 0;
    }
    return best;
}

int delta_images_pair(struct delta_make *make, const struct delta_found *old, const struct delta_found *new_found,
                      struct hf_err *err)
{
    uint64_t *tally = calloc(old->n + 1UL, sizeof(*tally));
    size_t next = 0;

    make->pairs = calloc(new_found->n + 1UL, sizeof(*make->pairs));
    make->old_images = calloc(new_found->n + 1UL, sizeof(*make->old_images));
    make->new_images = calloc(new_found->n + 1UL, sizeof(*make->new_images));
    if (tally == NULL || make->pairs == NULL || make->old_images == NULL || make->new_images == NULL) {
        free(tally);
        return delta_no_memory(err);
    }
    for (uint32_t i = 0; i < new_found->n; i++) {
        const struct delta_found_image *now = &new_found->p[i];
        uint32_t best = best_partner(&make->copies, &next, old, now->offset, (uint64_t)now->offset + now->size, tally);
        if (best == UINT32_MAX || old->p[best].image.machine != now->image.machine)
            continue;
        const struct delta_found_image *was = &old->p[best];
        make->pairs[make->pairs_n] = (struct delta_pair){was->offset, was->size, now->offset, now->size};
        make->old_images[make->pairs_n] = was->image;
        make->new_images[make->pairs_n++] = now->image;
    }
    free(tally);
    return 0;
}

int delta_images_match_each(struct delta_make *make,
                            int (*match)(struct delta_make *make, uint32_t pair, const struct delta_map *map),
                            struct hf_err *err)
{
    struct delta_map map = {0};
    int r = 0;

    if (make->pairs_n == 0)
        return 0;
    if ((r = delta_map_build(&make->copies, DELTA_MAP_MAX, &map, err)) < 0)
        return r;
    delta_map_sort(&map);
    for (uint32_t i = 0; r == 0 && i < make->pairs_n; i++)
        r = match(make, i, &map);
    delta_map_done(&map);
    return r < 0 ? delta_no_memory(err) : 0;
}
