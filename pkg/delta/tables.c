/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/tables.h"
#include "base/array.h"
#include "base/endian.h"
#include "delta/image/golang.h"
#include "delta/image/relocation.h"
#include "delta/images.h"
#include "delta/match/map.h"
#include "delta/match/table_entries.h"

#include <stdbool.h>
#include <string.h>

/* Entries of one side. Keys are addresses in the new file; old ones go through the map. */
struct table_side {
    const unsigned char *bytes;
    size_t n;
    const struct delta_segments *segments, *new_segments;
    const struct delta_map *map; /* NULL: this side is new */
    bool narrow;
    const struct delta_image *image;
    struct delta_table_entries items;
};

static uint64_t key_of(const struct table_side *s, uint64_t address)
{
    uint64_t position = delta_position_of(s->segments, address);
    int64_t shift = 0;

    if (s->map == NULL || position >= DELTA_MEMORY)
        return address;
    (void)delta_map_shift(s->map, position, &shift);
    return delta_address_of(s->new_segments, position + (uint64_t)shift);
}

static uint64_t hash_text(const struct table_side *s, uint64_t offset)
{
    uint64_t h = 14695981039346656037u;

    while (offset < s->n && s->bytes[offset] != 0)
        h = (h ^ s->bytes[offset++]) * 1099511628211u;
    return h;
}

static int list_fixed(struct table_side *s, const struct delta_region *r, uint32_t first, uint32_t size)
{
    for (uint64_t at = first; at + size <= r->size; at += size) {
        const unsigned char *p = s->bytes + r->offset + at;
        uint64_t key = 0;
        if (r->kind == DELTA_REGION_RELA || r->kind == DELTA_REGION_REL) {
            key = delta_relocation_key(s->image, r, s->bytes, s->n, p);
            key = key != 0 ? key : key_of(s, hf_le(p, r->kind == DELTA_REGION_REL ? 4 : 8));
        } else if (r->kind == DELTA_REGION_SYMBOLS)
            key = hash_text(s, r->link + hf_le(p, 4));
        else if (r->kind == DELTA_REGION_EXIDX)
            key = key_of(s, (r->address + at + hf_le(p, 4) + ((hf_le(p, 4) & 0x40000000) << 1)) & UINT32_MAX);
        else if (r->kind == DELTA_REGION_GO_OFFSETS)
            key = key_of(s, delta_address_of(s->segments, r->link) + hf_le(p, 4));
        else if (r->kind == DELTA_REGION_GO_ROWS)
            key = size == 16 ? key_of(s, hf_le(p, 8))
                             : key_of(s, delta_address_of(s->segments, s->image->go.text) + hf_le(p, 4));
        else
            key = key_of(s, r->address + (uint64_t)(int64_t)(int32_t)hf_le(p, 4));
        int result = delta_table_entries_add(&s->items, r->offset + at, size, key);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Lists unwind entries by their function, and common entries by their content. */
static int list_frames(struct table_side *s, const struct delta_region *r)
{
    for (uint64_t at = 0; at + 12 <= r->size;) {
        const unsigned char *p = s->bytes + r->offset + at;
        uint64_t size = hf_le(p, 4) + 4, key;
        if (size < 12 || size > r->size - at)
            break;
        if (hf_le(p + 4, 4) == 0) {
            key = 14695981039346656037u;
            for (uint64_t i = 8; i < size; i++)
                key = (key ^ p[i]) * 1099511628211u;
        } else {
            key = key_of(s, r->address + at + 8 + (uint64_t)(int64_t)(int32_t)hf_le(p + 8, 4));
        }
        int result = delta_table_entries_add(&s->items, r->offset + at, (uint32_t)size, key);
        if (result < 0)
            return result;
        at += size;
    }
    return 0;
}

/* Lists descriptions of functions by function, in the order of their rows. */
static int list_functions(struct table_side *s, const struct delta_region *r)
{
    const struct delta_go *go = &s->image->go;
    unsigned wide = go->layout == DELTA_GO_116 ? 8 : 4;
    uint64_t text = go->layout == DELTA_GO_116 ? 0 : delta_address_of(s->segments, go->text), behind = r->offset;

    for (uint64_t row = 0; row < go->functions; row++) {
        const unsigned char *p = s->bytes + go->rows + row * 2 * wide;
        uint64_t at = go->rows + hf_le(p + wide, wide), in_region = at - r->offset;
        if (at < behind || in_region >= r->size || r->size - in_region < DELTA_GO_HEAD_BYTES)
            continue;
        uint64_t size = (delta_go_function_size(go, s->bytes + at) + 7) & ~UINT64_C(7);
        if (size > r->size - in_region)
            continue;
        int result = delta_table_entries_add(&s->items, at, (uint32_t)size, key_of(s, text + hf_le(p, wide)));
        if (result < 0)
            return result;
        behind = at + size;
    }
    return 0;
}

static int list_items(struct table_side *s, const struct delta_region *r)
{
    switch (r->kind) {
    case DELTA_REGION_GO_ROWS:
        return list_fixed(s, r, 0, s->image->go.layout == DELTA_GO_116 ? 16 : 8);
    case DELTA_REGION_GO_OFFSETS: /* types only: the files of a unit are also those of other units */
        return r->link == s->image->go.types ? list_fixed(s, r, 0, 4) : 0;
    case DELTA_REGION_GO_FUNCTIONS:
        return list_functions(s, r);
    case DELTA_REGION_RELA:
        return list_fixed(s, r, 0, 24);
    case DELTA_REGION_SYMBOLS:
        return list_fixed(s, r, 0, s->narrow ? 16 : 24);
    case DELTA_REGION_REL:
    case DELTA_REGION_EXIDX:
        return list_fixed(s, r, 0, 8);
    case DELTA_REGION_EH_HDR:
        return list_fixed(s, r, 12, 8);
    case DELTA_REGION_EH_FRAME:
        return list_frames(s, r);
    default:
        return 0;
    }
}

/* Returns the n-th region of a kind; NULL if there are fewer. */
static const struct delta_region *nth_region(const struct delta_image *image, enum delta_region_kind kind, unsigned n)
{
    for (unsigned i = 0; i < image->regions_n; i++)
        if (image->regions[i].kind == kind && n-- == 0)
            return &image->regions[i];
    return NULL;
}

/* True if one copy covers the region and all bytes are equal. */
static bool is_done(const struct delta_make *make, const struct delta_region *region)
{
    const struct delta_copies *copies = &make->copies;
    size_t behind = hf_array_lower_bound(i, copies->n, copies->p[i].new_pos <= region->offset);

    if (behind == 0)
        return false;
    const struct delta_copy *c = &copies->p[behind - 1];
    uint64_t into = region->offset - c->new_pos;
    return c->len > into && c->len - into >= region->size &&
           memcmp(make->new_bytes + region->offset, make->old + c->old_pos + into, (size_t)region->size) == 0;
}

static int match_table(struct delta_make *make, uint32_t pair, const struct delta_map *map,
                       const struct delta_region *old_region, const struct delta_region *new_region)
{
    const struct delta_segments *segments = &make->new_images[pair].segments;
    bool narrow = make->old_images[pair].narrow;
    struct table_side old = {make->old, make->old_n, &make->old_images[pair].segments, segments,
                             map,       narrow,      &make->old_images[pair],          {0}};
    struct table_side new_side = {make->new_bytes,         make->new_n, segments, NULL, NULL, narrow,
                                  &make->new_images[pair], {0}};
    struct delta_copies inside = {0};
    int r = list_items(&old, old_region);

    if (r == 0)
        r = list_items(&new_side, new_region);
    if (r == 0 && new_region->kind == DELTA_REGION_EH_HDR && old_region->size >= 12 && new_region->size >= 12)
        r = delta_copies_extend(&inside, new_region->offset, old_region->offset, 12);
    if (r == 0 && old.items.n > 0 && new_side.items.n > 0) {
        r = delta_table_entries_match(&old.items, &new_side.items, &inside);
        if (r == 0)
            r = delta_copies_replace(&make->copies, new_region->offset, new_region->offset + new_region->size, &inside);
    }
    delta_copies_done(&inside);
    delta_table_entries_done(&old.items);
    delta_table_entries_done(&new_side.items);
    return r;
}

/* Copies findfunctab buckets from any old ones: their content follows from their position in the new file. */
static int match_buckets(struct delta_make *make, const struct delta_region *was, const struct delta_region *now)
{
    struct delta_copies inside = {0};
    uint64_t common = HF_MIN(was->size, now->size);
    int r = delta_copies_extend(&inside, now->offset, was->offset, common);

    if (r == 0 && now->size > common)
        r = delta_copies_extend(&inside, now->offset + common, was->offset, HF_MIN(now->size - common, was->size));
    if (r == 0)
        r = delta_copies_replace(&make->copies, now->offset, now->offset + now->size, &inside);
    delta_copies_done(&inside);
    return r;
}

static int match_image(struct delta_make *make, uint32_t pair, const struct delta_map *map)
{
    const struct delta_image *old = &make->old_images[pair], *now = &make->new_images[pair];
    unsigned seen[DELTA_REGION_KINDS] = {0};
    int r = 0;

    for (unsigned i = 0; r == 0 && i < now->regions_n; i++) {
        const struct delta_region *region = &now->regions[i];
        const struct delta_region *was = nth_region(old, region->kind, seen[region->kind]++);
        if (was != NULL &&
            (region->kind == DELTA_REGION_RELA || region->kind == DELTA_REGION_SYMBOLS ||
             region->kind == DELTA_REGION_EH_HDR || region->kind == DELTA_REGION_EH_FRAME ||
             region->kind == DELTA_REGION_REL || region->kind == DELTA_REGION_EXIDX ||
             region->kind == DELTA_REGION_GO_ROWS || region->kind == DELTA_REGION_GO_FUNCTIONS ||
             region->kind == DELTA_REGION_GO_OFFSETS || region->kind == DELTA_REGION_GO_FIND) &&
            !is_done(make, region))
            r = region->kind == DELTA_REGION_GO_FIND ? match_buckets(make, was, region)
                                                     : match_table(make, pair, map, was, region);
    }
    return r;
}

int delta_tables_match(struct delta_make *make, struct hf_err *err)
{
    return delta_images_match_each(make, match_image, err);
}
