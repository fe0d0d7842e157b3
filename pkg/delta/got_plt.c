/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/got_plt.h"

#include <elf.h>

#include "base/array.h"
#include "base/endian.h"
#include "delta/image/refs_scan.h"
#include "delta/image/relocation.h"
#include "delta/images.h"
#include "delta/match/map.h"
#include "delta/match/table_entries.h"

enum { PIECE = 1024 };

/* Lists of one side, old or new. Keys that are addresses are addresses in the new file. */
struct got_plt_side {
    const unsigned char *bytes;
    size_t n;
    const struct delta_image *image;
    const struct delta_segments *new_segments;
    const struct delta_map *map;        /* NULL: this side is new */
    struct delta_table_entries slots;   /* slots with a relocation, by offset */
    struct delta_table_entries words;   /* all words of the offset tables */
    struct delta_table_entries entries; /* entries of the linkage tables */
};

static void side_done(struct got_plt_side *s)
{
    delta_table_entries_done(&s->slots);
    delta_table_entries_done(&s->words);
    delta_table_entries_done(&s->entries);
}

/* True if the region belongs to .plt (code) or .got (not code). */
static bool is_linkage(const struct delta_region *region, bool code)
{
    return region->linkage && (region->kind == DELTA_REGION_CODE) == code;
}

static uint64_t address_key(const struct got_plt_side *s, uint64_t address)
{
    uint64_t position = delta_position_of(&s->image->segments, address);
    int64_t shift = 0;

    if (s->map == NULL || position >= DELTA_MEMORY)
        return address;
    (void)delta_map_shift(s->map, position, &shift);
    return delta_address_of(s->new_segments, position + (uint64_t)shift);
}

static int list_slots_of(struct got_plt_side *s, const struct delta_region *r)
{
    bool wide = r->kind == DELTA_REGION_RELA;
    unsigned word = wide ? 8 : 4, entry = wide ? sizeof(Elf64_Rela) : sizeof(Elf32_Rel);

    for (uint64_t at = 0; at + entry <= r->size; at += entry) {
        const unsigned char *p = s->bytes + r->offset + at;
        uint64_t slot = delta_position_of(&s->image->segments, hf_le(p, word)), end;
        if (slot >= s->n || s->n - slot < word || !is_linkage(delta_image_region(s->image, slot, &end), false))
            continue;
        uint64_t key = delta_relocation_key(s->image, r, s->bytes, s->n, p);
        if (key == 0)
            key = address_key(s, wide ? hf_le(p + 16, 8) : hf_le(s->bytes + slot, 4)) * 0x9e3779b97f4a7c15u;
        if (delta_table_entries_add(&s->slots, slot, word, key) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct delta_table_entry *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* Finds the slot at a position; NULL if no relocation names one. */
static const struct delta_table_entry *slot_at(const struct got_plt_side *s, uint64_t position)
{
    size_t at = hf_array_lower_bound(i, s->slots.n, s->slots.p[i].offset < position);

    return at < s->slots.n && s->slots.p[at].offset == position ? &s->slots.p[at] : NULL;
}

/* Keys a word without a relocation by its position in the table. */
static int list_words(struct got_plt_side *s, const struct delta_region *r, unsigned which)
{
    unsigned word = s->image->narrow ? 4 : 8;
    int result = 0;

    for (uint64_t at = 0; result == 0 && at + word <= r->size; at += word) {
        const struct delta_table_entry *slot = slot_at(s, r->offset + at);
        uint64_t key = slot != NULL ? slot->key : (uint64_t)which << 32 | at;
        result = delta_table_entries_add(&s->words, r->offset + at, word, key);
    }
    return result;
}

struct open_entry {
    uint64_t start, key; /* start and key of the current entry */
};

/* Begins a new entry if the reference leads to another slot. */
static int add_entry(struct got_plt_side *s, struct open_entry *e, uint64_t at, const struct delta_ref *ref)
{
    const struct delta_table_entry *slot = slot_at(s, ref->target);
    int result = 0;

    if (slot == NULL || slot->key == e->key)
        return 0;
    if (at > e->start)
        result = delta_table_entries_add(&s->entries, e->start, (uint32_t)(at - e->start), e->key);
    *e = (struct open_entry){at, slot->key};
    return result;
}

static int list_entries(struct got_plt_side *s, const struct delta_region *r, unsigned which)
{
    struct delta_ref refs[(PIECE + 1) / 2 + 1];
    struct open_entry e = {r->offset, which};
    uint64_t end = r->offset + r->size, n;
    int result = 0;

    if (r->offset < DELTA_SCAN_BEFORE || end > s->n || s->n - end < DELTA_SCAN_AFTER + 16)
        return 0;
    for (uint64_t at = r->offset; result == 0 && at < end; at += n) {
        n = HF_MIN((uint64_t)PIECE, end - at);
        size_t found =
            delta_refs_scan(s->image, r, s->bytes + at, (size_t)n, (size_t)HF_MIN(n + 16, end - at), at, NULL, refs);
        for (size_t i = 0; result == 0 && i < found; i++)
            result = add_entry(s, &e, at + refs[i].at, &refs[i]);
        if (found > 0)
            n = HF_MAX(n, (uint64_t)refs[found - 1].at + refs[found - 1].n);
    }
    return result < 0 ? result : delta_table_entries_add(&s->entries, e.start, (uint32_t)(end - e.start), e.key);
}

/* Lists everything of the old side. It lists only the slots of the new side; match_region() lists words and entries
 * by region. */
static int list_side(struct got_plt_side *s)
{
    const struct delta_image *image = s->image;
    int r = 0;

    for (unsigned i = 0; r == 0 && i < image->regions_n; i++)
        if (image->regions[i].kind == DELTA_REGION_RELA || image->regions[i].kind == DELTA_REGION_REL)
            r = list_slots_of(s, &image->regions[i]);
    if (s->slots.n > 0)
        qsort(s->slots.p, s->slots.n, sizeof(*s->slots.p), by_offset);
    for (unsigned i = 0; r == 0 && s->map != NULL && i < image->regions_n; i++) {
        if (is_linkage(&image->regions[i], false))
            r = list_words(s, &image->regions[i], i);
        else if (is_linkage(&image->regions[i], true))
            r = list_entries(s, &image->regions[i], i);
    }
    return r;
}

static int match_region(struct delta_make *make, const struct got_plt_side *old, struct got_plt_side *now,
                        const struct delta_region *region, unsigned which)
{
    bool code = region->kind == DELTA_REGION_CODE;
    struct delta_table_entries *items = code ? &now->entries : &now->words;
    struct delta_copies inside = {0};
    int r = code ? list_entries(now, region, which) : list_words(now, region, which);

    if (r == 0)
        r = delta_table_entries_match(code ? &old->entries : &old->words, items, &inside);
    if (r == 0 && inside.n > 0)
        r = delta_copies_replace(&make->copies, region->offset, region->offset + region->size, &inside);
    delta_copies_done(&inside);
    delta_table_entries_done(items);
    return r;
}

static int match_image(struct delta_make *make, uint32_t pair, const struct delta_map *map)
{
    const struct delta_image *was = &make->old_images[pair], *now = &make->new_images[pair];
    struct got_plt_side old = {
        .bytes = make->old, .n = make->old_n, .image = was, .new_segments = &now->segments, .map = map};
    struct got_plt_side new_side = {.bytes = make->new_bytes, .n = make->new_n, .image = now};
    int r = list_side(&old);

    if (r == 0)
        r = list_side(&new_side);
    for (unsigned i = 0; r == 0 && old.slots.n > 0 && i < now->regions_n; i++)
        if (now->regions[i].linkage)
            r = match_region(make, &old, &new_side, &now->regions[i], i);
    side_done(&old);
    side_done(&new_side);
    return r;
}

int delta_got_plt_match(struct delta_make *make, struct hf_err *err)
{
    return delta_images_match_each(make, match_image, err);
}
