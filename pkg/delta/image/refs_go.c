/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of functions are found through the function table, and the methods of a type through the type, which
 * precedes its methods. All other references are recognized by their position or by the bytes around them. */
#include "delta/image/refs_go.h"

#include "base/endian.h"
#include "delta/image/golang.h"

struct go_scan {
    const struct delta_image *image;
    const struct delta_region *region;
    const unsigned char *bytes;
    size_t n, limit;
    uint64_t offset;
    struct delta_go_cursor *cursor;
    struct delta_ref *refs;
    size_t found;
};

static bool is_inside(const struct go_scan *s, uint64_t at, unsigned n)
{
    return at < s->n && at + n <= s->limit;
}

/* Adds a number of n bytes that counts from `base`, in units of 1 << scale. */
static void add_offset(struct go_scan *s, uint64_t at, unsigned n, enum delta_ref_kind kind, uint64_t base,
                       unsigned scale)
{
    if (base == 0 || !is_inside(s, at, n))
        return;
    uint64_t word = hf_le(s->bytes + at, n);
    if (word > INT32_MAX)
        return;
    s->refs[s->found++] = (struct delta_ref){.target = base + (word << scale),
                                             .base = base,
                                             .word = word,
                                             .at = (uint32_t)at,
                                             .kind = (uint8_t)kind,
                                             .n = (uint8_t)n};
}

static bool add_address(struct go_scan *s, uint64_t at)
{
    if (!is_inside(s, at, 8))
        return false;
    uint64_t word = hf_le64(s->bytes + at), target = delta_position_of(&s->image->segments, word);
    if (word == 0 || target == DELTA_NOWHERE)
        return false;
    s->refs[s->found++] =
        (struct delta_ref){.target = target, .word = word, .at = (uint32_t)at, .kind = DELTA_REF_ABS64, .n = 8};
    return true;
}

/* ---- functions ------------------------------------------------------------------------------------------------- */

static void scan_rows(struct go_scan *s)
{
    const struct delta_go *go = &s->image->go;
    unsigned wide = go->layout == DELTA_GO_116 ? 8 : 4;
    uint64_t in_region = s->offset - s->region->offset;

    for (uint64_t i = (wide - in_region % wide) % wide; i < s->n; i += wide) {
        if ((in_region + i) % (2 * wide) != 0)
            add_offset(s, i, wide, DELTA_REF_GO_FUNCTION, go->rows, 0);
        else if (wide == 8)
            (void)add_address(s, i);
        else
            add_offset(s, i, wide, DELTA_REF_GO_TEXT, go->text, 0);
    }
}

/* Scans the description at `at` (relative to the window, perhaps before it). */
static void scan_function(struct go_scan *s, uint64_t at, const unsigned char *head)
{
    const struct delta_go *go = &s->image->go;
    const struct delta_go_function_layout *l = delta_go_function_layout(go);
    uint64_t end = at + delta_go_function_size(go, head), i = at + l->pcdata;
    uint64_t pcdata_end = i + 4 * (uint64_t)HF_MIN(hf_le32(head + l->pcdata_n), (uint32_t)DELTA_GO_PCDATA_MAX);

    if (go->layout == DELTA_GO_116)
        (void)add_address(s, at);
    else
        add_offset(s, at, 4, DELTA_REF_GO_TEXT, go->text, 0);
    add_offset(s, at + l->name, 4, DELTA_REF_GO_NAME, go->names, 0);
    for (unsigned k = 0; k < 3; k++)
        if (hf_le32(head + l->pc + 4 * k) != 0)
            add_offset(s, at + l->pc + 4 * k, 4, DELTA_REF_GO_PC, go->pctab, 0);
    add_offset(s, at + l->unit, 4, DELTA_REF_GO_UNIT, go->units, 2);
    for (; i != pcdata_end; i += 4)
        if (is_inside(s, i, 4) && hf_le32(s->bytes + i) != 0)
            add_offset(s, i, 4, DELTA_REF_GO_PC, go->pctab, 0);
    if (go->layout == DELTA_GO_116) {
        for (i = end - 8 * (uint64_t)head[l->funcdata_n]; i != end; i += 8)
            (void)add_address(s, i);
    } else {
        for (; i != end; i += 4)
            add_offset(s, i, 4, DELTA_REF_GO_DATA, go->funcdata, 0);
    }
}

/* Finds the last row whose description begins at `offset` or before, or row 0. */
static int find_row(struct delta_old *file, const struct delta_go *go, uint64_t offset, uint64_t *row,
                    struct hf_err *err)
{
    uint64_t low = 0, high = go->functions, entry, place, next;
    int r;

    if (*row < go->functions) { /* most windows continue where the last one ended */
        if ((r = delta_go_row(file, go, *row, &entry, &place, err)) < 0 ||
            (r = delta_go_row(file, go, *row + 1, &entry, &next, err)) < 0)
            return r;
        if (place <= offset && offset < next)
            return 0;
    }
    while (low + 1 < high) {
        uint64_t middle = (low + high) / 2;
        if ((r = delta_go_row(file, go, middle, &entry, &place, err)) < 0)
            return r;
        if (place <= offset)
            low = middle;
        else
            high = middle;
    }
    *row = low;
    return 0;
}

static int scan_functions(struct go_scan *s, struct delta_old *file, struct hf_err *err)
{
    const struct delta_go *go = &s->image->go;
    unsigned char head[DELTA_GO_HEAD_BYTES];
    uint64_t row = s->cursor->row, entry, place, before = 0;
    int r = find_row(file, go, s->offset, &row, err);

    for (; r == 0 && row < go->functions; row++) {
        r = delta_go_row(file, go, row, &entry, &place, err);
        if (r < 0 || place >= s->offset + s->n || place <= before)
            return r;
        if ((r = delta_old_read(file, place, head, sizeof(head), err)) < 0)
            return r;
        scan_function(s, place - s->offset, head);
        s->cursor->row = row;
        before = place + delta_go_function_size(go, head) - 1;
    }
    return r;
}

/* ---- types ----------------------------------------------------------------------------------------------------- */

enum { KIND_ARRAY = 17, KIND_CHAN, KIND_FUNC, KIND_INTERFACE, KIND_MAP, KIND_POINTER, KIND_SLICE, KIND_STRUCT = 25 };
enum { TYPE_NAME = 40, MAP_GREW = 24, INTERFACE_METHODS = 80 };

/* Returns the size of a type of this kind, without its optional parts. */
static unsigned type_size(unsigned kind)
{
    static const uint8_t size[32] = {[KIND_ARRAY] = 72, [KIND_CHAN] = 64,    [KIND_FUNC] = 56,  [KIND_INTERFACE] = 80,
                                     [KIND_MAP] = 88,   [KIND_POINTER] = 56, [KIND_SLICE] = 56, [KIND_STRUCT] = 80};

    return size[kind] != 0 ? size[kind] : 48;
}

/* True if a type may begin at b. */
static bool is_type(const unsigned char *b)
{
    unsigned tflag = b[20], align = b[21], kind = b[23] & 31;
    uint64_t size = hf_le64(b), pointers = hf_le64(b + 8);

    return align == b[22] && align != 0 && align <= 8 && (align & (align - 1)) == 0 && tflag < 64 && kind >= 1 &&
           kind <= 26 && pointers <= size && size <= UINT32_MAX;
}

/* Scans the type whose name is at `at`. */
static void note_type(struct go_scan *s, uint64_t at)
{
    const unsigned char *b = s->bytes + at - TYPE_NAME;
    unsigned kind = b[23] & 31;
    uint64_t start = s->offset + at - TYPE_NAME;
    bool uncommon = (b[20] & 1) != 0;

    s->cursor->uncommon = uncommon ? start + type_size(kind) : 0;
    if (kind == KIND_INTERFACE) {
        s->cursor->interface = start + INTERFACE_METHODS + (uncommon ? 16 : 0);
        s->cursor->interface_end = s->cursor->interface + 8 * (uint64_t)HF_MIN(hf_le32(b + 64), (uint32_t)UINT16_MAX);
    }
}

/* Finds the methods of a type; false if it has none, or its uncommon part lies elsewhere. */
static bool note_uncommon(struct go_scan *s, uint64_t at)
{
    const unsigned char *b = s->bytes + at;
    unsigned methods = hf_le32(b + 4) & UINT16_MAX, exported = hf_le32(b + 4) >> 16;
    uint32_t away = hf_le32(b + 8);

    if (exported > methods || away < 16 || away % 4 != 0 || away > 1 << 20 || hf_le32(b + 12) != 0 ||
        hf_le32(b) > INT32_MAX)
        return false;
    s->cursor->methods = s->offset + at + away;
    s->cursor->methods_end = s->cursor->methods + 16 * (uint64_t)methods;
    s->cursor->uncommon = 0;
    return true;
}

/* Scans four bytes that are not an address. */
static void scan_type_word(struct go_scan *s, uint64_t at)
{
    const struct delta_go *go = &s->image->go;
    struct delta_go_cursor *c = s->cursor;
    const unsigned char *b = s->bytes + at;
    uint64_t place = s->offset + at;

    if (place >= c->methods && place < c->methods_end) {
        bool text = ((place - c->methods) & 8) != 0;
        add_offset(s, at, 4, text ? DELTA_REF_GO_TEXT : DELTA_REF_GO_TYPE, text ? go->text : go->types, 0);
    } else if (place >= c->interface && place < c->interface_end) {
        add_offset(s, at, 4, DELTA_REF_GO_TYPE, go->types, 0);
    } else if (place == c->uncommon) {
        if (note_uncommon(s, at))
            add_offset(s, at, 4, DELTA_REF_GO_TYPE, go->types, 0);
        else
            c->uncommon += MAP_GREW;
    } else if (is_type(b - TYPE_NAME)) {
        note_type(s, at);
        add_offset(s, at, 4, DELTA_REF_GO_TYPE, go->types, 0);
    } else if (hf_le32(b) != 0 && is_type(b - TYPE_NAME - 4)) {
        add_offset(s, at, 4, DELTA_REF_GO_TYPE, go->types, 0);
    }
}

static void scan_types(struct go_scan *s)
{
    const struct delta_go_cursor *c = s->cursor;

    for (uint64_t i = (4 - s->offset % 4) % 4; i < s->n; i += 4) {
        uint64_t place = s->offset + i;
        bool words = (place >= c->methods && place < c->methods_end) ||
                     (place >= c->interface && place < c->interface_end) || place == c->uncommon;
        if (!words && place % 8 == 0 && add_address(s, i))
            i += 4;
        else
            scan_type_word(s, i);
    }
}

/* Usual bounds of such numbers. */
enum { SOME = 1 << 20, MUCH = 1 << 25 };

static void scan_offsets(struct go_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (uint64_t i = (4 - in_region % 4) % 4; i < s->n; i += 4)
        add_offset(s, i, 4, DELTA_REF_GO_TYPE, s->region->link, 0);
}

/* Scans a bucket: the number of a function, and 16 numbers of one byte. They follow from the bucket's position in
 * the new file; `extra` is the offset in the bucket. */
static void scan_find(struct go_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (uint64_t i = (4 - in_region % 4) % 4; i < s->n; i += 4) {
        unsigned field = (unsigned)((in_region + i) % DELTA_GO_BUCKET_BYTES);
        if (is_inside(s, i, 4))
            s->refs[s->found++] = (struct delta_ref){.word = hf_le32(s->bytes + i),
                                                     .at = (uint32_t)i,
                                                     .kind = field == 0 ? DELTA_REF_GO_BUCKET : DELTA_REF_GO_PARTS,
                                                     .n = 4,
                                                     .extra = (uint8_t)field};
    }
}

/* True if this is the name of an inlined function. Before it come {parent, id}, file and line (layout 118), or the
 * id alone; after it the position in the code (and in layout 120 the first line). */
static bool is_inlined(const struct go_scan *s, const unsigned char *b)
{
    if (hf_le32(b) == 0 || hf_le32(b) > MUCH || hf_le32(b + 4) > MUCH)
        return false;
    if (s->image->go.layout == DELTA_GO_120)
        return b[-4] < 32 && b[-3] == 0 && b[-2] == 0 && b[-1] == 0 && hf_le32(b + 8) > 0 && hf_le32(b + 8) <= SOME;
    uint32_t parent = hf_le32(b - 12) & 0xffff;
    return (parent == 0xffff || parent < 4096) && b[-10] < 32 && b[-9] == 0 && hf_le32(b - 8) <= SOME &&
           hf_le32(b - 4) > 0 && hf_le32(b - 4) <= SOME;
}

/* True if this describes the pointers of a stack variable. Before it come its position, its size, and the size of
 * the part with pointers. */
static bool is_object(const unsigned char *b)
{
    uint32_t place = hf_le32(b - 12), size = hf_le32(b - 8), pointers = hf_le32(b - 4);

    return ((place | size | pointers) & 7) == 0 && place + SOME < 2 * (uint32_t)SOME && size <= SOME && pointers > 0 &&
           pointers <= size && hf_le32(b) > 0 && hf_le32(b) <= 8 * (uint32_t)MUCH;
}

static void scan_data(struct go_scan *s)
{
    const struct delta_go *go = &s->image->go;

    for (uint64_t i = (4 - s->offset % 4) % 4; i < s->n; i += 4) {
        const unsigned char *b = s->bytes + i;
        if (s->image->fixed && (s->offset + i) % 8 == 0 && add_address(s, i))
            i += 4;
        else if (is_inlined(s, b))
            add_offset(s, i, 4, DELTA_REF_GO_NAME, go->names, 0);
        else if (is_object(b))
            add_offset(s, i, 4, DELTA_REF_GO_TYPE, go->rodata, 0);
    }
}

int delta_go_scan(struct delta_old *file, const struct delta_image *image, const struct delta_region *region,
                  const unsigned char *bytes, size_t n, size_t limit, uint64_t offset, struct delta_go_cursor *cursor,
                  struct delta_ref *refs, size_t *ret_found, struct hf_err *err)
{
    struct go_scan s = {image, region, bytes, n, limit, offset, cursor, refs, 0};
    int r = 0;

    if (region->kind == DELTA_REGION_GO_ROWS)
        scan_rows(&s);
    else if (region->kind == DELTA_REGION_GO_FUNCTIONS)
        r = scan_functions(&s, file, err);
    else if (region->kind == DELTA_REGION_GO_TYPES)
        scan_types(&s);
    else if (region->kind == DELTA_REGION_GO_OFFSETS)
        scan_offsets(&s);
    else if (region->kind == DELTA_REGION_GO_FIND)
        scan_find(&s);
    else if (region->kind == DELTA_REGION_GO_DATA)
        scan_data(&s);
    *ret_found = s.found;
    return r;
}
